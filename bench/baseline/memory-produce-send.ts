/**
 * Baseline of memory/produce-send: the barest thing that could be called a broker in memory, with a promise per send.
 *
 * `send` puts the message and its promise on a list; at the next tick the list becomes objects in an array, and the promises resolve with
 * a receipt. That is the fastest documented way to give many promises: one tick for many of them, no await in between, and the buffers
 * are kept as they are (a broker that gives them back to its caller has to copy them).
 */
import { makePayloads } from "../src/payloads.ts";
import { assertCount, rateSince } from "../src/stopwatch.ts";
import type { Job } from "../src/suite.ts";

interface Receipt {
  readonly sequence: bigint;
  readonly timestampMs: number;
}

interface Stored {
  readonly sequence: number;
  readonly timestampMs: number;
  readonly payload: Uint8Array;
}

/** As many as Seaway takes of this size before it asks to wait. */
const PENDING_MAX = 170_000;

export default async function produceSend({ messages, payloadBytes }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  const log: Stored[] = [];
  let pending: { readonly payload: Uint8Array; readonly resolve: (receipt: Receipt) => void }[] = [];
  let receipts = 0;

  const store = (): void => {
    const batch = pending;
    pending = [];
    const timestampMs = Date.now();
    for (const { payload, resolve } of batch) {
      const sequence = log.length + 1;
      log.push({ sequence, timestampMs, payload });
      receipts += 1;
      resolve({ sequence: BigInt(sequence), timestampMs });
    }
  };
  const send = (payload: Uint8Array): Promise<Receipt> =>
    new Promise((resolve) => {
      if (pending.length === 0) process.nextTick(store);
      pending.push({ payload, resolve });
    });

  const start = performance.now();
  let last: Promise<Receipt> | undefined;
  for (let i = 0; i < messages; i++) {
    last = send(payloads[i % payloads.length] as Buffer);
    if (pending.length >= PENDING_MAX) await last;
  }
  await last;
  const rate = rateSince(start, messages);
  assertCount("receipts", receipts, messages);
  return rate;
}
