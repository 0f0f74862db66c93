/**
 * Baseline of memory/produce-enqueue: as memory-produce-send, without a promise per message.
 *
 * A list that becomes objects in an array at the next tick is the fastest documented way to gather what one turn of the event loop sends;
 * the buffers are kept as they are (a broker that gives them back to its caller has to copy them).
 */
import { makePayloads } from "../src/payloads.ts";
import { assertCount, rateSince } from "../src/stopwatch.ts";
import type { Job } from "../src/suite.ts";

interface Stored {
  readonly sequence: number;
  readonly timestampMs: number;
  readonly payload: Uint8Array;
}

/** As many as Seaway takes of this size before it asks to wait. */
const PENDING_MAX = 170_000;

export default async function produceEnqueue({ messages, payloadBytes }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  const log: Stored[] = [];
  let pending: Uint8Array[] = [];

  const store = (): void => {
    const batch = pending;
    pending = [];
    const timestampMs = Date.now();
    for (const payload of batch) log.push({ sequence: log.length + 1, timestampMs, payload });
  };
  const stored = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
  const enqueue = (payload: Uint8Array): void => {
    if (pending.length === 0) process.nextTick(store);
    pending.push(payload);
  };

  const start = performance.now();
  for (let i = 0; i < messages; i++) {
    enqueue(payloads[i % payloads.length] as Buffer);
    if (pending.length >= PENDING_MAX) await stored();
  }
  await stored();
  const rate = rateSince(start, messages);
  assertCount("messages stored", log.length, messages);
  return rate;
}
