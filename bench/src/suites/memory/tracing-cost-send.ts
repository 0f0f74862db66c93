/** What it costs a send that somebody might trace it: the same with either build of core. */
import { makePayloads } from "../../payloads.ts";
import type { Job } from "../../suite.ts";
import { bestGo } from "./best-go.ts";
import { assertStored } from "./stored-messages.ts";
import { importBuild } from "./without-tracing.ts";

export default async function tracingCostSend({ messages, payloadBytes, settings }: Job): Promise<number> {
  const { connect } = await importBuild(settings);
  const payloads = makePayloads(payloadBytes);
  await using streamer = await connect("memory://bench");
  return await bestGo(messages, async (perGo, measure) => {
    const producer = await streamer.createProducer("bench");
    measure.start();
    for (let i = 0; i < perGo; i++) {
      void producer.send(payloads[i % payloads.length] as Buffer);
      if (producer.needsDrain) await producer.ready();
    }
    await producer.end();
    measure.stop();
    await assertStored(streamer, "bench", perGo);
    await streamer.admin.deleteStream("bench");
  });
}
