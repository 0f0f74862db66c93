/** Sending many: arrays, iterables without bound, and web streams, each waiting by itself while the producer is full. */
import { abortedError } from "../time/deadline.ts";
import type { SendSink } from "./pending-send.ts";
import type { OutgoingEntry } from "./producer-options.ts";
import type { Receipt } from "./receipt.ts";
import { ArraySink, TallySink } from "./send-sinks.ts";

/** What bulk sending needs of a producer. */
export interface BulkTarget<T> {
  readonly needsDrain: boolean;
  ready(): Promise<void>;
  /** Resolves when everything sent before is settled. */
  settled(): Promise<void>;
  /** Sends one; throws what is known to be wrong at once, tells the sink the rest. */
  submit(entry: OutgoingEntry<T>, sink: SendSink, index: number): void;
}

/** What {@link Producer.pipeFrom} did. */
export interface PipeResult {
  /** Stored. */
  readonly sent: number;
  readonly failed: number;
}

function assertEntry(entry: unknown): void {
  if (typeof entry !== "object" || entry === null || !("value" in entry)) {
    throw new TypeError("entries are objects such as { value, key?, headers? }, not bare values");
  }
}

export async function sendEach<T>(target: BulkTarget<T>, entries: Iterable<OutgoingEntry<T>>): Promise<PromiseSettledResult<Receipt>[]> {
  const sink = new ArraySink();
  for (const entry of entries) {
    assertEntry(entry);
    const index = sink.reserve();
    try {
      target.submit(entry, sink, index);
    } catch (error) {
      sink.failed({ index }, error as Error);
    }
    if (target.needsDrain) await target.ready();
  }
  return sink.complete();
}

export async function pipeInto<T>(
  target: BulkTarget<T>,
  entries: Iterable<OutgoingEntry<T>> | AsyncIterable<OutgoingEntry<T>>,
  signal: AbortSignal | undefined,
): Promise<PipeResult> {
  const sink = new TallySink();
  let count = 0;
  const take = (entry: OutgoingEntry<T>): void => {
    assertEntry(entry);
    count += 1;
    try {
      target.submit(entry, sink, count);
    } catch (error) {
      sink.failed(undefined, error as Error);
    }
  };
  try {
    if (Symbol.asyncIterator in entries) {
      for await (const entry of entries) {
        if (signal?.aborted) throw abortedError("pipeFrom", signal);
        take(entry);
        if (target.needsDrain) await target.ready();
      }
    } else {
      for (const entry of entries) {
        if (signal?.aborted) throw abortedError("pipeFrom", signal);
        take(entry);
        if (target.needsDrain) await target.ready();
      }
    }
  } finally {
    await target.settled();
  }
  return { sent: count - sink.failures, failed: sink.failures };
}

export function writableInto<T>(target: BulkTarget<T>): WritableStream<OutgoingEntry<T>> {
  const sink = new TallySink();
  const throwFailures = (): void => {
    const error = sink.takeError();
    if (error !== undefined) throw error;
  };
  return new WritableStream<OutgoingEntry<T>>({
    async write(entry) {
      throwFailures();
      assertEntry(entry);
      target.submit(entry, sink, 0);
      if (target.needsDrain) await target.ready();
    },
    async close() {
      await target.settled();
      throwFailures();
    },
  });
}
