/** What a program receives with. Reading ahead is the intake's, handing over the handover's; here is what may be asked, and when. */
import type { DriverConsumer } from "../driver/driver-consumer.ts";
import type { ShardPosition, ShardStart } from "../driver/shard.ts";
import { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import type { Message } from "../message/message.ts";
import type { Clock } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import type { Assignment } from "./assignment.ts";
import type { Abortable, FetchOptions, RewindTarget, ShardLag } from "./consumer-options.ts";
import { Undecodable } from "./decode-batch.ts";
import { fetchMessages } from "./fetch.ts";
import { closedError, type Handover } from "./handover.ts";
import type { Intake } from "./intake.ts";
import { MessageIterator, type MessageSource, readableFrom } from "./iterate.ts";

/** What a streamer gives a consumer to work with. */
export interface ConsumerParts<T> {
  readonly driver: DriverConsumer;
  readonly intake: Intake<T>;
  readonly handover: Handover<T>;
  readonly assignment: Assignment;
  readonly clock: Clock;
  readonly wrapper: ErrorWrapper;
  /** For seeking, lag and closing. */
  readonly timeoutMs: number;
  /** Why `seek` or `fetch` cannot be done here, if so. */
  readonly unsupported: Readonly<Partial<Record<"seek" | "fetch", StreamError>>>;
  onClosed(): void;
}

/** What is being read with: one way at a time, because two readers of one buffer would each miss what the other got. */
type Reading = "nothing" | "stream" | "fetch";

/**
 * Receives the messages of one or more streams: `for await (const message of consumer.stream())`.
 *
 * Its start was fixed before it was given out: what is sent after that is never missed. It reads ahead only once it is read from.
 */
export class Consumer<T = Uint8Array> implements AsyncIterable<Message<T>>, AsyncDisposable {
  readonly #parts: ConsumerParts<T>;
  readonly #ending = new AbortController();
  #reading: Reading = "nothing";
  #paused = false;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: ConsumerParts<T>) {
    this.#parts = parts;
  }

  /** From where each shard was read first. */
  get start(): readonly ShardStart[] {
    return this.#parts.driver.start;
  }

  /**
   * The next message. Concurrent calls each get another one. Rejects `stream-ended` at the end of a bounded read, `closed` after close,
   * `aborted` (nothing is lost), `consumer-busy` while a `stream()` is open, and what reading failed with.
   */
  next(options?: Abortable): Promise<Message<T>> {
    try {
      this.#assertFree("next");
      return Promise.resolve(this.#read(options?.signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The messages, one after the other, until the bounded read's end or `close`. Leaving the loop ends the stream, not the consumer. */
  stream(): AsyncIterableIterator<Message<T>, undefined, undefined> {
    return new MessageIterator(this.#claim("stream"));
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message<T>, undefined, undefined> {
    return this.stream();
  }

  /** The messages as a web stream, which reads nothing ahead of its reader. Cancelling it ends the stream, not the consumer. */
  readable(): ReadableStream<Message<T>> {
    return readableFrom(this.#claim("readable"));
  }

  /**
   * Up to `maxMessages`, as many as there are when `expiresMs` has passed: an empty array is normal. Nothing beyond them is read. On
   * rejection nothing is lost.
   */
  async fetch(options: FetchOptions): Promise<Message<T>[]> {
    if (!Number.isSafeInteger(options.maxMessages) || options.maxMessages < 1) throw new TypeError("maxMessages is a whole number from 1");
    if (!(options.expiresMs >= 0)) throw new TypeError("expiresMs is a number of milliseconds from 0");
    this.#assertFree("fetch");
    if (this.#parts.unsupported.fetch !== undefined) throw this.#parts.unsupported.fetch;
    if (this.#paused) throw new StreamError("consumer-busy", "this consumer is paused: resume() it before fetch");
    const { intake, handover, clock } = this.#parts;
    if (handover.awaited) throw new StreamError("consumer-busy", "fetch while a next() waits: await it first, or abort it");
    this.#reading = "fetch";
    try {
      return await fetchMessages(intake, handover, options, this.#ending.signal, clock);
    } finally {
      this.#reading = "nothing";
    }
  }

  /** Goes to the first message that the broker stored strictly later than `time` (a date, or ms since the epoch), in every assigned shard. */
  async seek(time: Date | number, options?: Abortable): Promise<void> {
    const afterMs = time instanceof Date ? time.getTime() : time;
    if (!Number.isFinite(afterMs)) throw new TypeError("seek takes a valid Date or ms since the epoch");
    await this.#move(this.#parts.assignment.targets({ afterMs }), options?.signal);
  }

  /** Goes to the beginning, the end, or a sequence (inclusive), in every assigned shard. */
  async rewind(to: RewindTarget, options?: Abortable): Promise<void> {
    await this.#move(this.#parts.assignment.rewindTargets(to), options?.signal);
  }

  /** Keeps the next seek or rewind, and what is read from then on, to the shards so named. */
  assign(streamKey: string, shardId: number): void {
    this.#assertOpen();
    this.#assertSeekable();
    this.#parts.assignment.assign(streamKey, shardId);
  }

  /** Takes back an {@link assign}; `not-assigned` if there was none. Takes effect at the next seek or rewind. */
  unassign(streamKey: string, shardId: number): void {
    this.#assertOpen();
    this.#assertSeekable();
    this.#parts.assignment.unassign(streamKey, shardId);
  }

  /** Stops reading and handing over, until {@link resume}. Waiting reads go on waiting. */
  pause(): void {
    this.#assertOpen();
    if (this.#paused) return;
    this.#paused = true;
    this.#parts.handover.hold();
    void this.#parts.intake.halt();
  }

  resume(): void {
    this.#assertOpen();
    if (!this.#paused) return;
    this.#paused = false;
    this.#parts.handover.release();
  }

  /** How many messages are stored and not yet handed over, per shard. */
  async lag(options?: Abortable): Promise<ShardLag[]> {
    this.#assertOpen();
    const { driver, clock, timeoutMs, wrapper, intake } = this.#parts;
    const shards = await withDeadline({ clock, timeoutMs, signal: options?.signal, what: "asking for the lag" }, (call) =>
      driver.lag(call),
    ).catch((error: unknown) => {
      throw wrapper.wrap(error, { what: "asking for the lag" });
    });
    const waiting = new Map<string, number>();
    intake.forEach((item) => {
      const { streamKey, shardId } = item instanceof Undecodable ? item.message : item;
      const name = `${streamKey}/${shardId}`;
      waiting.set(name, (waiting.get(name) ?? 0) + 1);
    });
    return shards.map(({ streamKey, shardId, messages }) => ({
      streamKey,
      shardId,
      messages: messages === undefined ? undefined : messages + (waiting.get(`${streamKey}/${shardId}`) ?? 0),
    }));
  }

  /** Makes what was acked durable. In real-time mode nothing is remembered: `commit-not-allowed`. */
  async commit(): Promise<void> {
    this.#assertOpen();
    throw new StreamError(
      "commit-not-allowed",
      "a real-time consumer has no position to commit: use mode resumable or load-balanced with a group",
    );
  }

  /** Ends every pending read and gives the consumer up. Idempotent; waits for its own work, never for a loop's body. */
  close(options?: Abortable): Promise<void> {
    this.#closing ??= this.#close();
    const closing = this.#closing;
    const signal = options?.signal;
    return signal === undefined ? closing : withDeadline({ clock: this.#parts.clock, signal, what: "closing the consumer" }, () => closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { driver, intake, handover, clock, timeoutMs, wrapper, onClosed } = this.#parts;
    this.#ending.abort();
    handover.close();
    try {
      await intake.halt();
      await withDeadline({ clock, timeoutMs, what: "closing the consumer" }, (call) => driver.close(call));
    } catch (error) {
      throw wrapper.wrap(error, { what: "closing the consumer" });
    } finally {
      onClosed();
    }
  }

  /** A source for one reader; the consumer is busy until it is released. */
  #claim(what: string): MessageSource<T> {
    this.#assertFree(what);
    this.#reading = "stream";
    return {
      tryRead: () => this.#parts.handover.tryNext(),
      read: (signal) => this.#parts.handover.next(signal),
      release: () => {
        this.#reading = "nothing";
      },
    };
  }

  #read(signal: AbortSignal | undefined): Message<T> | Promise<Message<T>> {
    const { handover } = this.#parts;
    if (signal?.aborted !== true) {
      const message = handover.tryNext();
      if (message !== undefined) return message;
    }
    return handover.next(signal);
  }

  async #move(targets: readonly ShardPosition[], signal: AbortSignal | undefined): Promise<void> {
    this.#assertOpen();
    this.#assertSeekable();
    const { driver, intake, handover, clock, timeoutMs, wrapper } = this.#parts;
    // Nothing of before the move may be handed over once it has begun.
    handover.hold();
    try {
      const { epoch } = await withDeadline({ clock, timeoutMs, signal, what: "seeking" }, (call) => driver.seek(targets, call));
      intake.reset(epoch);
    } catch (error) {
      throw wrapper.wrap(error, { what: "seeking" });
    } finally {
      handover.release();
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }

  #assertSeekable(): void {
    if (this.#parts.unsupported.seek !== undefined) throw this.#parts.unsupported.seek;
  }

  #assertFree(what: string): void {
    this.#assertOpen();
    if (this.#reading === "nothing") return;
    const hint = this.#reading === "stream" ? "leave its loop (or cancel its readable) first" : "await it first";
    throw new StreamError("consumer-busy", `${what} while a ${this.#reading} of this consumer is open: ${hint}`);
  }
}
