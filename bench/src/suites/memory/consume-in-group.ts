/** Reads what was stored before as a member of a group: with a loop that acks as it goes, without a group, or with `run`. */
import { connect, type Streamer } from "@seaway/core";
import { makePayloads } from "../../payloads.ts";
import { assertCount, rateSince } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";

/** `settings.way`: `real-time`, `load-balanced`, or `run-100`. The clock stops when the group has everything committed. */
export default async function consumeInGroup({ messages, payloadBytes, settings }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  await using streamer = await connect("memory://bench");
  const producer = await streamer.createProducer("bench");
  await producer.pipeFrom(
    (function* () {
      for (let i = 0; i < messages; i++) yield { value: payloads[i % payloads.length] as Buffer };
    })(),
  );
  const start = performance.now();
  const count = await consume(streamer, settings.way);
  const rate = rateSince(start, messages);
  assertCount("messages", count, messages);
  return rate;
}

async function consume(streamer: Streamer, way: string | undefined): Promise<number> {
  const from = { autoStreamReset: "earliest", until: "end" } as const;
  let count = 0;
  if (way === "real-time") {
    const consumer = await streamer.createConsumer("bench", from);
    for await (const _ of consumer) count += 1;
    return count;
  }
  const consumer = await streamer.createConsumer("bench", { ...from, mode: "load-balanced", group: "bench" });
  if (way === "run-100") {
    const handle = async (): Promise<void> => {
      count += 1;
    };
    await consumer.run(handle, { concurrency: 100 });
  } else for await (const _ of consumer) count += 1;
  await consumer.close();
  const info = await streamer.admin.groupInfo("bench", "bench");
  assertCount("committed", Number(info.shards[0]?.committed ?? 0n), count);
  return count;
}
