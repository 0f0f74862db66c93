/**
 * The reading end of a consumer: it asks the driver for messages ahead of the program, within its bounds, and holds them decoded.
 * It reads only while it is wanted, one `receive` at a time.
 */
import type { DriverConsumer } from "../driver/driver-consumer.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import { Fifo } from "../message/fifo.ts";
import type { StreamerEvent } from "../observe/event.ts";
import { backoffDelayMs } from "../time/backoff.ts";
import type { Clock } from "../time/clock.ts";
import { nextTurn } from "../time/next-turn.ts";
import type { BatchDecoder, Decoded } from "./decode-batch.ts";

export interface IntakeOptions {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  publish(event: StreamerEvent): void;
  /** Something can be taken, or reading failed or ended. */
  onChange(): void;
}

/** How long one `receive` may wait; only a bound, an abort ends it sooner. */
const RECEIVE_WAIT_MS = 5000;
const RETRY_BACKOFF = { firstMs: 100, maxMs: 5000 };

export class Intake<T> {
  readonly #driver: DriverConsumer;
  readonly #decoder: BatchDecoder<T>;
  readonly #options: IntakeOptions;
  readonly #buffer: Fifo<Decoded<T>> = new Fifo();
  #bytes = 0;
  #wanted = false;
  #running: Promise<void> | undefined;
  /** Ends the wait that the loop is in, whichever it is. */
  #interrupt: (() => void) | undefined;
  #waitsForRoom = false;
  #epoch = 0;
  #ended = false;
  #failure: StreamError | undefined;

  constructor(driver: DriverConsumer, decoder: BatchDecoder<T>, options: IntakeOptions) {
    this.#driver = driver;
    this.#decoder = decoder;
    this.#options = options;
  }

  get length(): number {
    return this.#buffer.length;
  }
  /** Nothing will follow what is buffered. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads ahead from now on. */
  start(): void {
    this.#wanted = true;
    if (this.#running !== undefined || this.#ended || this.#failure !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Wanted again while the last round was ending.
      if (this.#wanted && !this.#ended && this.#failure === undefined) this.start();
    });
  }

  /** Stops reading ahead; resolves when no `receive` is under way. What it brought is kept. */
  async halt(): Promise<void> {
    this.#wanted = false;
    this.#interrupt?.();
    await this.#running;
  }

  take(): Decoded<T> | undefined {
    const item = this.#buffer.shift();
    if (item === undefined) return undefined;
    this.#bytes -= sizeOf(item);
    if (this.#waitsForRoom && this.#hasRoom()) this.#interrupt?.();
    return item;
  }

  /** Puts back what was taken and not handed over, in its order. */
  putBack(items: readonly Decoded<T>[]): void {
    for (const item of items) this.#bytes += sizeOf(item);
    this.#buffer.unshiftAll(items);
  }

  /** Why reading stopped, once all before it is taken; the next {@link start} tries again. */
  takeFailure(): StreamError | undefined {
    if (this.#buffer.length > 0) return undefined;
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** After a seek: what was read before it is dropped, and so is what still arrives of it. */
  reset(epoch: number): void {
    // The first messages after the seek may have come before the seek's own answer.
    if (this.#epoch < epoch) this.#beginEpoch(epoch);
    this.#interrupt?.();
  }

  #beginEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#buffer.drain();
    this.#bytes = 0;
    this.#ended = false;
    this.#failure = undefined;
  }

  forEach(visit: (item: Decoded<T>) => void): void {
    this.#buffer.forEach(visit);
  }

  /** One `receive` for `fetch`, while reading ahead is halted. Rejects wrapped. */
  async receiveOnce(maxMessages: number, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#receive(maxMessages, this.#options.maxBytes, maxWaitMs, signal);
    } catch (error) {
      throw this.#options.wrapper.wrap(error, { what: "reading" });
    }
  }

  /** At least half of the buffer is free, so that many small reads do not follow one large one. */
  #hasRoom(): boolean {
    const { maxMessages, maxBytes } = this.#options;
    return this.#buffer.length * 2 <= maxMessages && this.#bytes < maxBytes;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#wanted && !this.#ended) {
      if (this.#buffer.length > 0 && !this.#hasRoom()) {
        this.#waitsForRoom = true;
        await this.#pause(undefined);
        this.#waitsForRoom = false;
        continue;
      }
      const { maxMessages, maxBytes } = this.#options;
      const controller = new AbortController();
      this.#interrupt = () => controller.abort();
      try {
        await this.#receive(Math.max(maxMessages - this.#buffer.length, 1), maxBytes - this.#bytes, RECEIVE_WAIT_MS, controller.signal);
        failures = 0;
        // A backend that always has more at hand would otherwise keep timers, signals and sockets waiting.
        await nextTurn();
      } catch (cause) {
        const error = this.#options.wrapper.wrap(cause, { what: "reading" });
        if (!error.retryable) {
          this.#failure = error;
          this.#options.onChange();
          return;
        }
        failures += 1;
        this.#options.publish({
          code: "receive-failed",
          level: "warn",
          message: `reading failed, it is tried again: ${error.message}`,
          error,
          count: failures,
        });
        await this.#pause(backoffDelayMs(RETRY_BACKOFF, failures, this.#options.random));
      } finally {
        this.#interrupt = undefined;
      }
    }
  }

  async #receive(maxMessages: number, maxBytes: number, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    const received = await this.#driver.receive({ maxMessages, maxBytes, maxWaitMs, paused: [], signal });
    if (received.epoch < this.#epoch) return;
    const decoded = this.#decoder.decode(received.messages);
    const items = decoded instanceof Promise ? await decoded : decoded;
    // A seek may have come while the codec worked.
    if (received.epoch < this.#epoch) return;
    if (received.epoch > this.#epoch) this.#beginEpoch(received.epoch);
    for (const item of items) {
      this.#bytes += sizeOf(item);
      this.#buffer.push(item);
    }
    if (received.ended === true) this.#ended = true;
    if (items.length > 0 || this.#ended) this.#options.onChange();
  }

  /** Waits until interrupted, or for so long. */
  #pause(delayMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = delayMs === undefined ? undefined : this.#options.clock.setTimer(() => this.#interrupt?.(), delayMs);
      this.#interrupt = () => {
        this.#interrupt = undefined;
        timer?.cancel();
        resolve();
      };
    });
  }
}

function sizeOf(item: Decoded<unknown>): number {
  return ("error" in item ? item.message : item).incoming.size;
}
