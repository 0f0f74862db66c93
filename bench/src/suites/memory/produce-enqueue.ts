/** Enqueues, which makes no promise per message, as fast as the producer takes them. */
import { connect } from "@seaway/core";
import { makePayloads } from "../../payloads.ts";
import { rateSince } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";
import { assertStored } from "./stored-messages.ts";

export default async function produceEnqueue({ messages, payloadBytes }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  await using streamer = await connect("memory://bench");
  const producer = await streamer.createProducer("bench");
  const start = performance.now();
  for (let i = 0; i < messages; i++) {
    producer.enqueue(payloads[i % payloads.length] as Buffer);
    if (producer.needsDrain) await producer.ready();
  }
  await producer.end();
  const rate = rateSince(start, messages);
  await assertStored(streamer, "bench", messages);
  return rate;
}
