/**
 * The engine of a producer: it gathers what is sent into batches, keeps several of them in flight, and sends again what failed for a
 * passing reason, without ever changing the order within a lane. No timer runs for a message, one runs while anything is in flight.
 */
import type { DriverProducer, SendOutcome } from "../driver/driver-producer.ts";
import { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import { Fifo } from "../message/fifo.ts";
import { backoffDelayMs } from "../time/backoff.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { FlushMark } from "./flush-mark.ts";
import type { Lane } from "./lane.ts";
import { HELD_BYTES, type PendingSend } from "./pending-send.ts";
import type { Ordering } from "./producer-options.ts";

export interface OutboxOptions {
  readonly sendTimeoutMs: number;
  readonly highWaterBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxBatchBytes: number;
  readonly ordering: Ordering;
  /** Whether the backend de-duplicates by message id here. */
  readonly dedupe: boolean;
}

interface Flight {
  readonly batch: readonly PendingSend[];
  readonly controller: AbortController;
  /** When it is aborted, monotonic; once it was, when it is no longer waited for. */
  dueMs: number;
}

const RETRY_BACKOFF = { firstMs: 50, maxMs: 5000 };
/** How long a driver may take to answer for a batch that was aborted. */
const ABORT_GRACE_MS = 5000;

export class Outbox {
  readonly #driver: DriverProducer;
  readonly #options: OutboxOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #wrapper: ErrorWrapper;
  readonly #batchMessages: number;
  readonly #batchBytes: number;
  readonly #batchesInFlight: number;
  readonly #queue: Fifo<PendingSend> = new Fifo();
  /** Lanes with a backlog that may go out; they go first. */
  #resumed: Lane[] = [];
  readonly #flights: Set<Flight> = new Set();
  #scheduled = false;
  #bytes = 0;
  #tickMs = 0;
  #watch: Timer | undefined;
  #watchDueMs = 0;
  #readyWaiters: (() => void)[] = [];
  #mark = new FlushMark();
  #olderMarks: FlushMark[] = [];

  constructor(driver: DriverProducer, options: OutboxOptions, clock: Clock, random: () => number, wrapper: ErrorWrapper) {
    this.#driver = driver;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#wrapper = wrapper;
    this.#batchMessages = driver.limits.batchMessages;
    this.#batchBytes = Math.min(driver.limits.batchBytes, options.maxBatchBytes);
    this.#batchesInFlight = options.ordering === "strict" ? 1 : driver.limits.batchesInFlight;
  }

  /** Payloads, keys and headers not settled yet, with a fixed sum for each message. */
  get bytes(): number {
    return this.#bytes;
  }
  get needsDrain(): boolean {
    return this.#bytes > this.#options.highWaterBytes;
  }
  /** For a message made now; one clock reading serves all that are sent in one turn of the event loop. */
  get nowMs(): number {
    if (!this.#scheduled) this.#schedule();
    return this.#tickMs;
  }
  /** For a message made now. */
  get mark(): FlushMark {
    return this.#mark;
  }

  /** Takes a message, or fails it with `buffer-full`. */
  put(pending: PendingSend): void {
    if (this.#bytes + pending.bytes + HELD_BYTES > this.#options.maxBufferedBytes && this.#bytes > 0) {
      const text = `${this.#bytes} bytes wait to be sent, above maxBufferedBytes (${this.#options.maxBufferedBytes}): await producer.ready() while producer.needsDrain`;
      pending.sink.failed(pending, new StreamError("buffer-full", text, { streamKey: pending.streamKey }));
      return;
    }
    this.#bytes += pending.bytes + HELD_BYTES;
    pending.mark.add();
    pending.lane.number(pending);
    // Also of a lane that is held: older ones of it may wait in the queue, and the backlog must not get the younger first.
    this.#queue.push(pending);
    if (!this.#scheduled) this.#schedule();
  }

  /** Resolves once no more than half of `highWaterBytes` waits. */
  ready(): Promise<void> {
    if (!this.needsDrain) return Promise.resolve();
    return new Promise((resolve) => this.#readyWaiters.push(resolve));
  }

  /** Resolves when everything sent before is settled, one way or the other. */
  async settled(): Promise<void> {
    if (this.#mark.open > 0) {
      this.#olderMarks.push(this.#mark);
      this.#mark = new FlushMark();
    }
    const marks = this.#olderMarks.filter((mark) => mark.open > 0);
    this.#olderMarks = marks;
    if (marks.length > 0) await Promise.all(marks.map((mark) => mark.settled()));
  }

  #schedule(): void {
    this.#scheduled = true;
    // Whole ms: a fraction would be an object of its own on every message.
    this.#tickMs = Math.floor(this.#clock.monotonic());
    process.nextTick(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#flights.size < this.#batchesInFlight) {
      const batch = this.#nextBatch();
      if (batch.length === 0) return;
      this.#launch(batch);
    }
  }

  /** Resumed lanes first, then what is new, up to the bounds; messages of held lanes step aside. */
  #nextBatch(): PendingSend[] {
    const batch: PendingSend[] = [];
    const oldestMs = this.#clock.monotonic() - this.#options.sendTimeoutMs;
    let room = this.#batchBytes;
    while (this.#resumed.length > 0) {
      const lane = this.#resumed[0] as Lane;
      for (let next = lane.backlog.peek(); next !== undefined && lane.state === "open"; next = lane.backlog.peek()) {
        if (batch.length === this.#batchMessages || (batch.length > 0 && next.bytes > room)) return batch;
        lane.backlog.shift();
        room -= this.#take(next, oldestMs, batch);
      }
      this.#resumed.shift();
    }
    const queue = this.#queue;
    for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
      if (batch.length === this.#batchMessages || (batch.length > 0 && next.bytes > room)) break;
      queue.shift();
      if (next.lane.held) next.lane.backlog.push(next);
      else room -= this.#take(next, oldestMs, batch);
    }
    return batch;
  }

  #take(pending: PendingSend, oldestMs: number, batch: PendingSend[]): number {
    if (pending.sentAtMs < oldestMs) {
      this.#fail(pending, this.#timeout(pending, true));
      return 0;
    }
    batch.push(pending);
    pending.lane.inFlight += 1;
    return pending.bytes;
  }

  #launch(batch: readonly PendingSend[]): void {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const pending of batch) if (pending.sentAtMs < oldestMs) oldestMs = pending.sentAtMs;
    const flight: Flight = { batch, controller: new AbortController(), dueMs: oldestMs + this.#options.sendTimeoutMs };
    this.#flights.add(flight);
    this.#watchUntil(flight.dueMs);
    let sent: Promise<readonly SendOutcome[]>;
    try {
      sent = this.#driver.send(batch, { signal: flight.controller.signal });
    } catch (error) {
      sent = Promise.reject(error);
    }
    sent.then(
      (outcomes) => this.#landed(flight, outcomes, undefined),
      (error: unknown) => this.#landed(flight, undefined, error),
    );
  }

  /** One timer for all that is in flight, set for the batch whose time is up first. */
  #watchUntil(dueMs: number): void {
    if (this.#watch !== undefined) {
      if (this.#watchDueMs <= dueMs) return;
      this.#watch.cancel();
    }
    this.#watchDueMs = dueMs;
    this.#watch = this.#clock.setTimer(() => this.#endOverdue(), dueMs - this.#clock.monotonic());
  }

  /** Aborts the batches whose oldest message has used up its time, and gives up those whose driver did not heed that. */
  #endOverdue(): void {
    this.#watch = undefined;
    const nowMs = this.#clock.monotonic();
    for (const flight of [...this.#flights]) {
      const { controller } = flight;
      if (flight.dueMs <= nowMs && controller.signal.aborted) {
        this.#landed(flight, undefined, undefined);
      } else if (flight.dueMs <= nowMs) {
        flight.dueMs = nowMs + ABORT_GRACE_MS;
        controller.abort(new StreamError("timeout", `no answer within sendTimeoutMs (${this.#options.sendTimeoutMs} ms)`));
      }
    }
    for (const { dueMs } of this.#flights) this.#watchUntil(dueMs);
  }

  #landed(flight: Flight, outcomes: readonly SendOutcome[] | undefined, error: unknown): void {
    // It was given up before: what its driver says now comes too late.
    if (!this.#flights.delete(flight)) return;
    const { batch, controller } = flight;
    let unsettled: Set<Lane> | undefined;
    for (let i = 0; i < batch.length; i++) {
      const pending = batch[i] as PendingSend;
      const lane = pending.lane;
      lane.inFlight -= 1;
      const outcome = outcomes?.[i];
      if (outcome?.stored === true) {
        lane.noteStored(pending, true);
        this.#stored(pending, outcome);
      } else {
        this.#notStored(pending, outcome?.stored === false, outcome === undefined ? error : outcome.error, controller.signal);
      }
      if (lane.state === "settling") {
        unsettled ??= new Set();
        unsettled.add(lane);
      }
    }
    if (unsettled !== undefined) for (const lane of unsettled) if (lane.inFlight === 0) this.#settle(lane);
    if (this.#flights.size === 0) {
      this.#watch?.cancel();
      this.#watch = undefined;
    }
    this.#pump();
  }

  #stored(pending: PendingSend, outcome: SendOutcome & { readonly stored: true }): void {
    this.#release(pending);
    if (!pending.sink.wantsReceipt) return;
    pending.sink.stored(pending, {
      streamKey: pending.streamKey,
      shardId: outcome.shardId ?? pending.shardId,
      sequence: outcome.sequence,
      timestampMs: outcome.timestampMs,
      duplicate: outcome.duplicate ?? false,
    });
  }

  #notStored(pending: PendingSend, certain: boolean, cause: unknown, signal: AbortSignal): void {
    if (!signal.aborted || !isAbort(cause, signal)) {
      pending.lastError = this.#wrapper.wrap(cause ?? new StreamError("backend", "the driver told no outcome"), {
        streamKey: pending.streamKey,
        what: "sending",
      });
    }
    const error = pending.lastError;
    const overdue = signal.aborted && pending.sentAtMs + this.#options.sendTimeoutMs <= this.#clock.monotonic();
    const safe = certain || this.#driver.resendIsSafe === true || (this.#options.dedupe && pending.messageId !== undefined);
    if (error?.retryable !== false && safe && !overdue) {
      pending.lane.noteFailed(pending);
      return;
    }
    if (!certain) pending.lane.noteStored(pending, false);
    this.#fail(pending, error === undefined || (error.retryable && signal.aborted) ? this.#timeout(pending, certain) : error);
  }

  #settle(lane: Lane): void {
    const { retry, rejected } = lane.settle(this.#options.ordering);
    for (const [pending, error] of rejected) this.#fail(pending, error);
    if (!retry) {
      this.#resume(lane);
      return;
    }
    lane.attempts += 1;
    const first = lane.backlog.peek();
    const leftMs = first === undefined ? 0 : first.sentAtMs + this.#options.sendTimeoutMs - this.#clock.monotonic();
    const delayMs = Math.min(backoffDelayMs(RETRY_BACKOFF, lane.attempts, this.#random), Math.max(leftMs, 0) + 1);
    this.#clock.setTimer(() => this.#resume(lane), delayMs);
  }

  #resume(lane: Lane): void {
    lane.state = "open";
    if (lane.backlog.length > 0) this.#resumed.push(lane);
    if (!this.#scheduled) this.#schedule();
  }

  /** `certain`: it is not stored. */
  #timeout(pending: PendingSend, certain: boolean): StreamError {
    const bound = `within sendTimeoutMs (${this.#options.sendTimeoutMs} ms)`;
    return new StreamError("timeout", certain ? `not stored ${bound}` : `no answer ${bound}: it may be stored, or not`, {
      cause: pending.lastError,
      backend: this.#wrapper.backend,
      streamKey: pending.streamKey,
    });
  }

  #fail(pending: PendingSend, error: StreamError): void {
    this.#release(pending);
    pending.sink.failed(pending, error);
  }

  #release(pending: PendingSend): void {
    this.#bytes -= pending.bytes + HELD_BYTES;
    pending.mark.done();
    if (this.#readyWaiters.length > 0 && this.#bytes * 2 <= this.#options.highWaterBytes) {
      const waiters = this.#readyWaiters;
      this.#readyWaiters = [];
      for (const resolve of waiters) resolve();
    }
  }
}

/** Whether this is how a driver says that it heeded the signal, and no reason of its own. */
function isAbort(cause: unknown, signal: AbortSignal): boolean {
  return cause === undefined || cause === signal.reason || (cause instanceof Error && cause.name === "AbortError");
}
