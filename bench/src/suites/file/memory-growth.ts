/**
 * Writes a file and follows it in the same process, and looks at resident memory after a fifth of the messages and after all of them:
 * what was kept of each message would show.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@seaway/core";
import { makePayloads } from "../../payloads.ts";
import { assertCount } from "../../stopwatch.ts";
import type { Job, Pair } from "../../suite.ts";
import { pathIn, urlOf } from "./bench-file.ts";

const MIB = 1024 * 1024;
/** The reader is let come up after so many: its backlog is on disk, but nobody would use it so. */
const STRETCH = 10_000;

export default async function memoryGrowth({ messages, payloadBytes, folder }: Job): Promise<Pair> {
  const payloads = makePayloads(payloadBytes);
  await using streamer = await connect(urlOf(pathIn(folder)));
  const consumer = await streamer.createConsumer("bench", { autoStreamReset: "earliest" });
  const producer = await streamer.createProducer("bench");
  const reader = consumer.stream();
  let sent = 0;
  let bytes = 0;

  const moveUpTo = async (count: number): Promise<void> => {
    while (sent < count) {
      const end = Math.min(sent + STRETCH, count);
      const stretch = end - sent;
      for (; sent < end; sent++) {
        producer.enqueue(payloads[sent % payloads.length] as Buffer);
        if (producer.needsDrain) await producer.ready();
      }
      for (let read = 0; read < stretch; read++) {
        const { value } = await reader.next();
        bytes += value?.payload.length ?? 0;
      }
    }
    await producer.flush();
  };

  await moveUpTo(Math.ceil(messages / 5));
  const baseline = await residentMib();
  await moveUpTo(messages);
  const seaway = await residentMib();
  assertCount("bytes", bytes, messages * payloadBytes);
  return { seaway, baseline };
}

/** After a collection that also gives back what V8 keeps for new objects, which depends on speed and not on what is kept. */
async function residentMib(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("needs node --expose-gc");
  for (let i = 0; i < 5; i++) {
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
    await sleep(50);
  }
  return process.memoryUsage.rss() / MIB;
}
