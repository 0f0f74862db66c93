/**
 * The reading end of a consumer: it asks the driver for messages ahead of the program, within its bounds, and holds them decoded.
 * It reads only while it is wanted, one `receive` at a time.
 */
import type { DriverConsumer, IncomingMessage } from "../driver/driver-consumer.ts";
import type { Shard } from "../driver/shard.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import { Fifo } from "../message/fifo.ts";
import { Message, type Settler } from "../message/message.ts";
import type { StreamerEvent } from "../observe/event.ts";
import { backoffDelayMs } from "../time/backoff.ts";
import type { Clock } from "../time/clock.ts";
import { nextTurn } from "../time/next-turn.ts";
import type { BatchDecoder } from "./decode-batch.ts";
import type { MessageBook } from "./message-book.ts";
import { PrefetchTarget } from "./prefetch-target.ts";

/** Messages, or what they are made of when they are taken: what lives as long as it waits is to be little. */
type Batch<T> = readonly (Message<T> | IncomingMessage)[];

export interface IntakeOptions {
  /** 0: one at a time, and only when a reader waits. */
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Follow the program's pace instead of always filling up. */
  readonly adaptive: boolean;
  /** Make messages when they are taken: where the broker tracks nothing, and no codec has to work ahead. */
  readonly isLazy: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  publish(event: StreamerEvent): void;
  /** Something can be taken, or reading failed or ended. */
  onChange(): void;
  /** Whether a reader waits. */
  isAwaited(): boolean;
}

/** How long one `receive` may wait; only a bound, an abort ends it sooner. */
const RECEIVE_WAIT_MS = 5000;
const RETRY_BACKOFF = { firstMs: 100, maxMs: 5000 };
/** After so long without it the event loop gets its turn. */
const TURN_MS = 2;

export class Intake<T> {
  readonly #driver: DriverConsumer;
  readonly #decoder: BatchDecoder<T>;
  readonly #book: MessageBook;
  readonly #options: IntakeOptions;
  readonly #target: PrefetchTarget;
  /** As it came: the batch that is being taken, from a place on, and those behind it. Nothing is moved for a single message. */
  #batch: Batch<T> = [];
  #at = 0;
  readonly #batches: Fifo<Batch<T>> = new Fifo();
  #waiting = 0;
  /** What is given again: before all that is unread. */
  readonly #again: Fifo<Message<T>> = new Fifo();
  /** Of all batches that are not used up. */
  #bytes = 0;
  /** Messages ever buffered. */
  #arrived = 0;
  #wanted = false;
  #running: Promise<void> | undefined;
  /** Ends the wait that the loop is in, whichever it is. */
  #interrupt: (() => void) | undefined;
  /** For the receive under way; used again until it is aborted. */
  #controller = new AbortController();
  #waitsForRoom = false;
  #oneAtATime = false;
  #epoch = 0;
  #ended = false;
  #failure: StreamError | undefined;
  #turnedAtMs = 0;

  constructor(driver: DriverConsumer, decoder: BatchDecoder<T>, book: MessageBook, options: IntakeOptions) {
    this.#driver = driver;
    this.#decoder = decoder;
    this.#book = book;
    this.#options = options;
    this.#target = new PrefetchTarget(Math.max(options.maxMessages, 1), options.adaptive);
    this.#oneAtATime = options.maxMessages === 0;
  }

  get length(): number {
    return this.#waiting + this.#again.length;
  }
  readonly #abort = (): void => this.#controller.abort();

  /** Nothing will follow what is buffered. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads ahead from now on. */
  start(): void {
    this.#wanted = true;
    if (this.#waitsForRoom && this.#mayRead()) this.#interrupt?.();
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

  /** Asks for one message at a time, and only when a reader waits. */
  askOne(oneAtATime: boolean): void {
    this.#oneAtATime = oneAtATime || this.#options.maxMessages === 0;
    if (this.#waitsForRoom && this.#mayRead()) this.#interrupt?.();
  }

  take(): Message<T> | undefined {
    for (;;) {
      const message = this.#again.length > 0 ? this.#again.shift() : this.#takeBuffered();
      if (message === undefined || !this.#book.isLost(message)) return message;
    }
  }

  #takeBuffered(): Message<T> | undefined {
    if (this.#at === this.#batch.length && !this.#nextBatch()) return undefined;
    const item = this.#batch[this.#at] as Message<T> | IncomingMessage;
    this.#at += 1;
    this.#waiting -= 1;
    this.#bytes -= item.size;
    if (this.#waitsForRoom && this.#mayRead()) this.#interrupt?.();
    return this.#made(item);
  }

  #made(item: Message<T> | IncomingMessage): Message<T> {
    return item instanceof Message ? item : this.#decoder.make(item, this.#book.admit(item, 0));
  }

  #nextBatch(): boolean {
    this.#batch = this.#batches.shift() ?? [];
    this.#at = 0;
    return this.#batch.length > 0;
  }

  #add(batch: Batch<T>): void {
    if (batch.length === 0) return;
    this.#batches.push(batch);
    this.#waiting += batch.length;
    this.#arrived += batch.length;
    this.#bytes += bytesOf(batch);
  }

  /** Puts back what was taken and not handed over, in its order. */
  putBack(messages: readonly Message<T>[]): void {
    if (messages.length === 0) return;
    const rest = this.#batch.slice(this.#at);
    this.#batches.unshiftAll(rest.length === 0 ? [messages] : [messages, rest]);
    this.#bytes += bytesOf(messages);
    this.#batch = [];
    this.#at = 0;
    this.#waiting += messages.length;
  }

  /** Takes in what core gives again. */
  giveAgain(messages: readonly Message<T>[]): void {
    for (const message of messages) this.#again.push(message);
    this.#options.onChange();
  }

  /** Takes out everything that is buffered, or what belongs to some shards. */
  drain(shards?: readonly Shard[]): Message<T>[] {
    const waiting = [...this.#batch.slice(this.#at), ...this.#batches.drain().flat()];
    const all = [...this.#again.drain(), ...waiting.map((item) => this.#made(item))];
    this.#clear();
    if (shards === undefined) return all;
    const names = new Set(shards.map(({ streamKey, shardId }) => `${streamKey}/${shardId}`));
    const out: Message<T>[] = [];
    const kept: Message<T>[] = [];
    for (const message of all) (names.has(`${message.streamKey}/${message.shardId}`) ? out : kept).push(message);
    this.putBack(kept);
    return out;
  }

  /** Why reading stopped, once all before it is taken; the next {@link start} tries again. */
  takeFailure(): StreamError | undefined {
    if (this.length > 0) return undefined;
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

  /** Every message that waits, by its shard. */
  forEach(visit: (shard: Shard) => void): void {
    for (const item of this.#batch.slice(this.#at)) visit(item);
    this.#batches.forEach((batch) => {
      for (const item of batch) visit(item);
    });
  }

  /** One `receive` for `fetch`, while reading ahead is halted. Rejects wrapped. */
  async receiveOnce(maxMessages: number, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#receive(maxMessages, this.#options.maxBytes, maxWaitMs, signal);
    } catch (error) {
      throw this.#options.wrapper.wrap(error, { what: "reading" });
    }
  }

  #beginEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#again.drain();
    this.#batches.drain();
    this.#clear();
    this.#ended = false;
    this.#failure = undefined;
  }

  #clear(): void {
    this.#batch = [];
    this.#at = 0;
    this.#waiting = 0;
    this.#bytes = 0;
  }

  /** At least half of the buffer is free, so that many small reads do not follow one large one. */
  #mayRead(): boolean {
    const waiting = this.#waiting;
    if (this.#oneAtATime) return this.length === 0 && this.#options.isAwaited();
    return waiting === 0 || (waiting * 2 <= this.#target.messages && this.#bytes < this.#options.maxBytes);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#wanted && !this.#ended) {
      if (!this.#mayRead()) {
        this.#waitsForRoom = true;
        await this.#pause(undefined);
        this.#waitsForRoom = false;
        continue;
      }
      if (this.#controller.signal.aborted) this.#controller = new AbortController();
      const controller = this.#controller;
      this.#interrupt = this.#abort;
      try {
        const waiting = this.#waiting;
        this.#target.adapt(waiting, this.#arrived - waiting, this.#options.clock.monotonic());
        const maxMessages = this.#oneAtATime ? 1 : Math.max(this.#target.messages - waiting, 1);
        await this.#receive(maxMessages, this.#options.maxBytes - this.#bytes, RECEIVE_WAIT_MS, controller.signal);
        failures = 0;
        // A backend that always has more at hand would otherwise keep timers, signals and sockets waiting.
        if (this.#options.clock.monotonic() - this.#turnedAtMs > TURN_MS) {
          await nextTurn();
          this.#turnedAtMs = this.#options.clock.monotonic();
        }
      } catch (cause) {
        const error = this.#options.wrapper.wrap(cause, { what: "reading" });
        if (!error.retryable) {
          // Only a reader begins again: what has failed for good is not asked for unasked.
          this.#wanted = false;
          this.#failure = error;
          this.#options.onChange();
          return;
        }
        failures += 1;
        const message = `reading failed, it is tried again: ${error.message}`;
        this.#options.publish({ code: "receive-failed", level: "warn", message, error, count: failures });
        await this.#pause(backoffDelayMs(RETRY_BACKOFF, failures, this.#options.random));
      } finally {
        this.#interrupt = undefined;
      }
    }
  }

  async #receive(maxMessages: number, maxBytes: number, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    const received = await this.#driver.receive({ maxMessages, maxBytes, maxWaitMs, paused: [], signal });
    if (received.epoch < this.#epoch) return;
    // Nothing is tracked and nothing to be decoded: messages are made when they are taken.
    if (this.#options.isLazy && received.epoch === this.#epoch) {
      this.#add(received.messages);
      if (received.ended === true) this.#ended = true;
      if (received.messages.length > 0 || this.#ended) this.#options.onChange();
      return;
    }
    const leasedAtMs = Math.floor(received.leasedAtMs ?? this.#options.clock.monotonic());
    const settlerOf = (incoming: IncomingMessage): Settler => this.#book.admit(incoming, leasedAtMs);
    const decoded = this.#decoder.decode(received.messages, settlerOf);
    const messages = decoded instanceof Promise ? await decoded : decoded;
    // A seek may have come while the codec worked.
    if (received.epoch < this.#epoch) return;
    if (received.epoch > this.#epoch) this.#beginEpoch(received.epoch);
    this.#add(messages);
    if (received.ended === true) this.#ended = true;
    if (messages.length > 0 || this.#ended) this.#options.onChange();
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

function bytesOf(batch: Batch<unknown>): number {
  let bytes = 0;
  for (const { size } of batch) bytes += size;
  return bytes;
}
