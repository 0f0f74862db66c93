/** Sending many: arrays, iterables without bound, and web streams, each waiting by itself while the producer is full. */
import { isStreamError } from "../error/stream-error.ts";
import type { Clock } from "../time/clock.ts";
import { abortedError, withDeadline } from "../time/deadline.ts";
import { nextTurn } from "../time/next-turn.ts";
import type { SendSink } from "./pending-send.ts";
import type { OutgoingEntry } from "./producer-options.ts";
import type { Receipt } from "./receipt.ts";
import { ArraySink, TallySink } from "./send-sinks.ts";

/** What bulk sending needs of a producer. */
export interface BulkTarget<T> {
  readonly clock: Clock;
  readonly needsDrain: boolean;
  ready(options: BulkOptions | undefined): Promise<void>;
  /** Resolves when everything sent before is settled. */
  settled(): Promise<void>;
  /** Sends one; throws what is known to be wrong at once, tells the sink the rest. */
  submit(entry: OutgoingEntry<T>, sink: SendSink, index: number): void;
}

export interface BulkOptions {
  /** Stops sending: what was sent by then is settled, then the call rejects `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link Producer.pipeFrom} did. */
export interface PipeResult {
  /** Stored. */
  readonly sent: number;
  readonly failed: number;
}

/** So many entries are taken without waiting; then timers, sockets and signals get their turn. */
const ENTRIES_A_TURN = 1000;

export function assertEntry(entry: unknown): void {
  if (typeof entry !== "object" || entry === null || !("value" in entry)) {
    throw new TypeError("entries are objects such as { value, key?, headers? }, not bare values");
  }
}

export async function sendEach<T>(
  target: BulkTarget<T>,
  entries: Iterable<OutgoingEntry<T>>,
  options: BulkOptions | undefined,
): Promise<PromiseSettledResult<Receipt>[]> {
  const sink = new ArraySink();
  const signal = options?.signal;
  try {
    for (const entry of entries) {
      if (signal?.aborted) throw abortedError("sendMany", signal);
      assertEntry(entry);
      const index = sink.reserve();
      try {
        target.submit(entry, sink, index);
      } catch (error) {
        sink.failed({ index }, error as Error);
      }
      if (target.needsDrain) await target.ready(options);
    }
  } catch (error) {
    await sink.complete();
    throw error;
  }
  return sink.complete();
}

export async function pipeInto<T>(
  target: BulkTarget<T>,
  entries: Iterable<OutgoingEntry<T>> | AsyncIterable<OutgoingEntry<T>>,
  options: BulkOptions | undefined,
): Promise<PipeResult> {
  const sink = new TallySink();
  const signal = options?.signal;
  let count = 0;
  /** Takes one; true when it is time to wait. */
  const take = (entry: OutgoingEntry<T>): boolean => {
    if (signal?.aborted) throw abortedError("pipeFrom", signal);
    assertEntry(entry);
    count += 1;
    try {
      target.submit(entry, sink, count);
    } catch (error) {
      // No later one would fare better, and an endless iterable would never end.
      if (isStreamError(error, "closed") || isStreamError(error, "not-anchored")) throw error;
      sink.failed(undefined, error as Error);
    }
    return target.needsDrain || count % ENTRIES_A_TURN === 0;
  };
  const wait = (): Promise<void> => (target.needsDrain ? target.ready(options) : nextTurn());
  try {
    if (Symbol.asyncIterator in entries) {
      for await (const entry of signal === undefined ? entries : abortable(entries, signal, target.clock)) if (take(entry)) await wait();
    } else {
      for (const entry of entries) if (take(entry)) await wait();
    }
  } finally {
    await target.settled();
  }
  return { sent: count - sink.failures, failed: sink.failures };
}

/** Does not wait for the next entry once the signal aborts; what still comes then is dropped. */
function abortable<E>(source: AsyncIterable<E>, signal: AbortSignal, clock: Clock): AsyncIterable<E> {
  const iterator = source[Symbol.asyncIterator]();
  const leave = async (): Promise<IteratorResult<E>> => {
    await iterator.return?.();
    return { done: true, value: undefined };
  };
  const next = async (): Promise<IteratorResult<E>> => {
    try {
      return await withDeadline({ clock, signal, what: "pipeFrom" }, () => iterator.next());
    } catch (error) {
      // A generator that is waiting would keep this waiting as well.
      if (signal.aborted) leave().catch(() => undefined);
      throw error;
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
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
      if (target.needsDrain) await target.ready(undefined);
    },
    async close() {
      await target.settled();
      throwFailures();
    },
  });
}
