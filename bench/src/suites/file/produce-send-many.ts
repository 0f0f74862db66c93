/** Sends in thousands, each with its results; the next thousand is handed over while the one before is on its way. */
import { connect, type OutgoingEntry } from "@seaway/core";
import { makePayloads } from "../../payloads.ts";
import { assertCount, rateSince } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";
import { assertWritten, pathIn, urlOf } from "./bench-file.ts";

const BULK = 1000;

export default async function produceSendMany({ messages, payloadBytes, folder }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  const path = pathIn(folder);
  const streamer = await connect(urlOf(path));
  const producer = await streamer.createProducer("bench");
  let stored = 0;
  const sendBulk = async (from: number): Promise<void> => {
    const entries: OutgoingEntry<Buffer>[] = [];
    for (let i = from; i < Math.min(from + BULK, messages); i++) entries.push({ value: payloads[i % payloads.length] as Buffer });
    for (const { status } of await producer.sendMany(entries)) if (status === "fulfilled") stored += 1;
  };
  const start = performance.now();
  let before = Promise.resolve();
  for (let from = 0; from < messages; from += BULK) {
    const bulk = sendBulk(from);
    await before;
    before = bulk;
  }
  await before;
  await producer.end();
  const rate = rateSince(start, messages);
  assertCount("receipts", stored, messages);
  await streamer.close();
  await assertWritten(path, messages);
  return rate;
}
