/** Reads what was stored before, from the earliest message to the end, looking at every payload. */
import { connect } from "@seaway/core";
import { makePayloads } from "../../payloads.ts";
import { assertCount, rateSince } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";

export default async function consume({ messages, payloadBytes }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  await using streamer = await connect("memory://bench");
  const producer = await streamer.createProducer("bench");
  await producer.pipeFrom(
    (function* () {
      for (let i = 0; i < messages; i++) yield { value: payloads[i % payloads.length] as Buffer };
    })(),
  );
  const consumer = await streamer.createConsumer("bench", { autoStreamReset: "earliest", until: "end" });
  let count = 0;
  let bytes = 0;
  const start = performance.now();
  for await (const message of consumer) {
    count += 1;
    bytes += message.payload.length;
  }
  const rate = rateSince(start, messages);
  assertCount("messages", count, messages);
  assertCount("bytes", bytes, messages * payloadBytes);
  return rate;
}
