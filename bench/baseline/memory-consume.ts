/**
 * Baseline of memory/consume: a class per message, made over an array of stored objects, handed over by an async iterator.
 *
 * An iterator written by hand, whose `next` gives a resolved promise, is the fastest documented way to serve `for await`: a generator
 * makes three promises for each.
 */
import { makePayloads } from "../src/payloads.ts";
import { assertCount, rateSince } from "../src/stopwatch.ts";
import type { Job } from "../src/suite.ts";

interface Stored {
  readonly sequence: number;
  readonly timestampMs: number;
  readonly payload: Uint8Array;
}

class Message {
  readonly #stored: Stored;
  constructor(stored: Stored) {
    this.#stored = stored;
  }
  get sequence(): bigint {
    return BigInt(this.#stored.sequence);
  }
  get timestamp(): Date {
    return new Date(this.#stored.timestampMs);
  }
  get payload(): Uint8Array {
    return this.#stored.payload;
  }
}

class MessageIterator implements AsyncIterableIterator<Message, undefined> {
  readonly #log: readonly Stored[];
  #at = 0;
  constructor(log: readonly Stored[]) {
    this.#log = log;
  }
  next(): Promise<IteratorResult<Message, undefined>> {
    const stored = this.#log[this.#at];
    if (stored === undefined) return Promise.resolve({ done: true, value: undefined });
    this.#at += 1;
    return Promise.resolve({ done: false, value: new Message(stored) });
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
}

export default async function consume({ messages, payloadBytes }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  const timestampMs = Date.now();
  const log = Array.from(
    { length: messages },
    (_, i): Stored => ({ sequence: i + 1, timestampMs, payload: payloads[i % payloads.length] as Buffer }),
  );
  let count = 0;
  let bytes = 0;
  const start = performance.now();
  for await (const message of new MessageIterator(log)) {
    count += 1;
    bytes += message.payload.length;
  }
  const rate = rateSince(start, messages);
  assertCount("messages", count, messages);
  assertCount("bytes", bytes, messages * payloadBytes);
  return rate;
}
