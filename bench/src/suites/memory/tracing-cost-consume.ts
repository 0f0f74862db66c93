/** What it costs a message handed over that somebody might trace it: the same with either build of core. */
import { makePayloads } from "../../payloads.ts";
import { assertCount } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";
import { bestGo } from "./best-go.ts";
import { importBuild } from "./without-tracing.ts";

export default async function tracingCostConsume({ messages, payloadBytes, settings }: Job): Promise<number> {
  const { connect } = await importBuild(settings);
  const payloads = makePayloads(payloadBytes);
  await using streamer = await connect("memory://bench");
  const producer = await streamer.createProducer("bench");
  return await bestGo(messages, async (perGo, measure) => {
    const { shards } = await streamer.admin.streamInfo("bench");
    if (shards[0]?.length === 0) {
      await producer.sendMany(Array.from({ length: perGo }, (_, i) => ({ value: payloads[i % payloads.length] as Buffer })));
    }
    await using consumer = await streamer.createConsumer("bench", { autoStreamReset: "earliest", until: "end" });
    let count = 0;
    measure.start();
    for await (const message of consumer) count += message.payload.length > 0 ? 1 : 0;
    measure.stop();
    assertCount("messages", count, perGo);
  });
}
