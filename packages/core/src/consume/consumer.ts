/** What a program receives with: what may be asked of it, and when. Reading, handing over, settling and running are each a part of their own. */
import { checkFlatOptions } from "../connect/check-options.ts";
import type { ConsumerPlan } from "../connect/consumer-plan.ts";
import { FETCH_OPTIONS, RUN_OPTIONS } from "../connect/option-tables.ts";
import type { ShardPosition, ShardStart } from "../driver/shard.ts";
import { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import type { Message } from "../message/message.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Producer } from "../produce/producer.ts";
import type { Clock } from "../time/clock.ts";
import { anySignal, withDeadline } from "../time/deadline.ts";
import type { Assignment } from "./assignment.ts";
import type { Abortable, ConsumerOptions, FetchOptions, RewindTarget, ShardLag } from "./consumer-options.ts";
import { fetchMessages } from "./fetch.ts";
import { closedError, type Handover } from "./handover.ts";
import { MessageIterator, type MessageSource, type MessageStream, readableFrom } from "./iterate.ts";
import { runHandler } from "./run.ts";
import type { BatchHandler, Handler, RunOptions } from "./run-options.ts";
import type { Session } from "./session.ts";

/** What a streamer gives a consumer to work with. */
export interface ConsumerParts<T> {
  /** The driver's name. */
  readonly backend: string;
  readonly session: Session<T>;
  readonly handover: Handover<T>;
  readonly assignment: Assignment;
  readonly plan: ConsumerPlan;
  readonly onDecodeError: ConsumerOptions<T>["onDecodeError"];
  /** `until: "end"`. */
  readonly isReadToItsEnd: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  /** For seeking, lag and closing. */
  readonly timeoutMs: number;
  /** Why `seek` or `fetch` cannot be done here, if so. */
  readonly unsupported: Readonly<Partial<Record<"seek" | "fetch", StreamError>>>;
  /** The broker counts a delivery that was given back unread. */
  readonly countsGivenBack: boolean;
  publish(event: StreamerEvent): void;
  /** Opens the same streams in real-time mode, there. */
  reopen(targets: readonly ShardPosition[], signal: AbortSignal | undefined): Promise<Session<T>>;
  /** For dead letters; it has no anchor. */
  createProducer(): Promise<Producer>;
  onClosed(): void;
}

/** What is being read with: one way at a time, because two readers of one buffer would each miss what the other got. */
type Reading = "nothing" | "stream" | "fetch" | "run" | "relay";

/**
 * Receives the messages of one or more streams: `for await (const message of consumer.stream())`, or `consumer.run(handler)`.
 *
 * Its start was fixed before it was given out: what is sent after that is never missed. It reads ahead only once it is read from.
 */
export class Consumer<T = Uint8Array> implements AsyncIterable<Message<T>>, AsyncDisposable {
  readonly #parts: ConsumerParts<T>;
  readonly #handover: Handover<T>;
  readonly #ending = new AbortController();
  /** Aborted when work is to come to its end: on drain, and on close. */
  readonly #winding = new AbortController();
  /** Aborted when closing is to settle no more. */
  readonly #hurrying = new AbortController();
  /** Asking for the next message acks the one before. */
  #acksOnNext: boolean;
  /** In real-time mode from the start, or since a seek. */
  #isUngrouped: boolean;
  #session: Session<T>;
  #reading: Reading = "nothing";
  #paused = false;
  /** A seek or rewind under way. */
  #moving: Promise<void> | undefined;
  /** It left its group; where it was to go could not be opened. */
  #isStranded = false;
  #draining = false;
  /** Something was handed over, and more has not been asked for. */
  #loopHasOne = false;
  #closing: Promise<void> | undefined;
  /** One was asked for that was not there, and is not with the program yet. */
  #isArriving = false;
  /** What was handed over last, while asking for more acks it. */
  #last: Message<T> | undefined;

  /** @internal */
  constructor(parts: ConsumerParts<T>) {
    this.#parts = parts;
    this.#session = parts.session;
    this.#handover = parts.handover;
    this.#isUngrouped = parts.plan.mode === "real-time";
    this.#acksOnNext = parts.session.ledger !== undefined && parts.plan.autoCommit === "on-next";
  }

  /** From where each shard was read first. */
  get start(): readonly ShardStart[] {
    return this.#parts.session.driver.start;
  }
  /** The group it reads for; undefined in real-time mode. */
  get group(): string | undefined {
    return this.#parts.plan.group;
  }

  /**
   * The next message. Concurrent calls each get another one (in a group that acks on-next: `consumer-busy`). In on-next it acks the
   * message before; the last one is the caller's to ack. Rejects `stream-ended` at the end of a bounded read, `closed` after close,
   * `aborted` (nothing is lost), `consumer-busy` while a `stream()` is open, and what reading or a background commit failed with.
   */
  next(options?: Abortable): Promise<Message<T>> {
    try {
      this.#assertFree("next");
      this.#assertAlone();
      return Promise.resolve(this.#read(options?.signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The messages, one after the other, until the bounded read's end or `close`. Leaving the loop ends the stream, not the consumer. */
  stream(): MessageStream<T> {
    return new MessageIterator(this.#claim("stream"));
  }

  [Symbol.asyncIterator](): MessageStream<T> {
    return this.stream();
  }

  /**
   * The messages as a web stream, which reads nothing ahead of its reader. Cancelling it ends the stream, not the consumer. In a group
   * it refuses on-next: whatever reads ahead in a pipe would ack ahead.
   */
  readable(): ReadableStream<Message<T>> {
    if (this.#acksOnNext) {
      throw new StreamError(
        "invalid-option",
        'readable() with autoCommit "on-next" would ack what a pipe only read ahead: use "rolling" and ack yourself, or run',
      );
    }
    return readableFrom(this.#claim("readable"));
  }

  /**
   * Up to `maxMessages`, as many as there are when `expiresMs` has passed: an empty array is normal. Nothing beyond them is read, and
   * nothing is acked by it. On rejection nothing is lost.
   */
  async fetch(options: FetchOptions): Promise<Message<T>[]> {
    if (!Number.isSafeInteger(options.maxMessages) || options.maxMessages < 1) throw new TypeError("maxMessages is a whole number from 1");
    if (!(options.expiresMs >= 0)) throw new TypeError("expiresMs is a number of milliseconds from 0");
    checkFlatOptions(options, FETCH_OPTIONS, "fetch");
    this.#assertFree("fetch");
    if (this.#parts.unsupported.fetch !== undefined) throw this.#parts.unsupported.fetch;
    if (this.#paused) throw new StreamError("consumer-busy", "this consumer is paused: resume() it before fetch");
    if (this.#handover.awaited || this.#moving !== undefined)
      throw new StreamError("consumer-busy", "fetch while a next() or a seek waits: await it first");
    this.#last = undefined;
    this.#reading = "fetch";
    try {
      return await fetchMessages(this.#session, this.#handover, options, this.#ending.signal, this.#parts.clock);
    } finally {
      this.#reading = "nothing";
    }
  }

  /**
   * Calls `handler` for each message, or each batch, until `signal` aborts, the bounded read ends, or `close`. A message is acked when its
   * handler returns; when it throws, it comes again after a back-off, and after `maxDeliveries` it is dead-lettered. What the handler
   * settled itself stays so. Resolves when it has drained.
   */
  run(handler: Handler<T>, options?: RunOptions<T> & { readonly batch?: undefined }): Promise<void>;
  run(handler: BatchHandler<T>, options: RunOptions<T> & { readonly batch: NonNullable<RunOptions<T>["batch"]> }): Promise<void>;
  async run(handler: Handler<T> | BatchHandler<T>, options: RunOptions<T> = {}): Promise<void> {
    if (typeof handler !== "function") throw new TypeError("run takes a function that works on a message");
    checkFlatOptions(options, RUN_OPTIONS, "run");
    const source = this.claimForWork("run");
    try {
      await runHandler(source, handler, options);
    } finally {
      source.release();
    }
  }

  /** Goes to the first message that the broker stored strictly later than `time` (a date, or ms since the epoch), in every assigned shard. Leaves the group. */
  async seek(time: Date | number, options?: Abortable): Promise<void> {
    const afterMs = time instanceof Date ? time.getTime() : time;
    if (!Number.isFinite(afterMs)) throw new TypeError("seek takes a valid Date or ms since the epoch");
    await this.#move(this.#parts.assignment.targets({ afterMs }), options?.signal);
  }

  /** Goes to the beginning, the end, or a sequence (inclusive), in every assigned shard. Leaves the group. */
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

  /** Stops reading and handing over, until {@link resume}. Waiting reads go on waiting; leases are kept. */
  pause(): void {
    this.#assertOpen();
    if (this.#paused) return;
    this.#paused = true;
    this.#handover.hold();
    void this.#session.intake.halt();
  }

  resume(): void {
    this.#assertOpen();
    if (!this.#paused) return;
    this.#paused = false;
    this.#handover.release();
  }

  /** How many messages are stored and not yet handed over, per shard. */
  async lag(options?: Abortable): Promise<ShardLag[]> {
    this.#assertOpen();
    const { clock, timeoutMs, wrapper } = this.#parts;
    const { driver, intake } = this.#session;
    const what = "asking for the lag";
    const shards = await withDeadline({ clock, timeoutMs, signal: options?.signal, what }, (call) => driver.lag(call)).catch(
      (error: unknown) => {
        throw wrapper.wrap(error, { what });
      },
    );
    const waiting = new Map<string, number>();
    intake.forEach(({ streamKey, shardId }) => {
      const name = `${streamKey}/${shardId}`;
      waiting.set(name, (waiting.get(name) ?? 0) + 1);
    });
    return shards.map(({ streamKey, shardId, messages }) => ({
      streamKey,
      shardId,
      messages: messages === undefined ? undefined : messages + (waiting.get(`${streamKey}/${shardId}`) ?? 0),
    }));
  }

  /** Acks many; how many of them were still this consumer's. */
  ackMany(messages: Iterable<Message<T>>): number {
    let count = 0;
    for (const message of messages) if (message.ack()) count += 1;
    return count;
  }

  /**
   * Resolves when the broker has every ack so far. Rejects when it could not be told: those messages come again. In real-time mode
   * nothing is remembered: `commit-not-allowed`.
   */
  async commit(options?: Abortable): Promise<void> {
    this.#assertOpen();
    const { ledger } = this.#session;
    if (ledger === undefined) {
      throw new StreamError(
        "commit-not-allowed",
        this.#parts.plan.mode === "real-time"
          ? 'a real-time consumer has no position to commit: use mode "resumable" or "load-balanced" with a group'
          : "this consumer has nothing to commit: it left its group by a seek, or its autoCommit is immediate",
      );
    }
    await ledger.commit(options?.signal);
    const failure = ledger.takeFailure();
    if (failure !== undefined) throw failure;
  }

  /**
   * Ends every pending read, commits (not in `disabled`), gives back what was not settled, and gives the consumer up. It acks nothing that
   * was not due. Idempotent; waits for its own work, never for a loop's body. Aborted, it gives back at once, and rejects.
   */
  close(options?: Abortable): Promise<void> {
    this.#closing ??= this.#close();
    const closing = this.#closing;
    const signal = options?.signal;
    if (signal === undefined) return closing;
    const hurry = (): void => this.hurry();
    signal.addEventListener("abort", hurry, { once: true });
    if (signal.aborted) hurry();
    // Nobody may be left to hear of a failure after the caller has given up waiting.
    closing.catch(() => undefined).finally(() => signal.removeEventListener("abort", hurry));
    return withDeadline({ clock: this.#parts.clock, signal, what: "closing the consumer" }, () => closing);
  }

  /** A close under way, or to come, gives back at once what the broker was not told of. @internal */
  hurry(): void {
    this.#hurrying.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Hands nothing more over; resolves when the loop that has a message asks for the next one (which acks it in on-next), or at once if no
   * loop has. @internal
   */
  drain(): Promise<void> {
    this.#draining = true;
    this.#winding.abort();
    // A loop that waits for a message ends; one that has a message is told so when it asks for the next.
    this.#handover.close();
    const last = this.#last;
    const isAtWork =
      this.#reading === "run" ||
      this.#reading === "relay" ||
      (this.#reading === "stream" && this.#loopHasOne) ||
      (last !== undefined && this.#session.book.isHeld(last));
    if (!isAtWork) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }
  #drained: (() => void)[] = [];

  /** Forgets everything without a word to the broker, as a process that dies does. For tests: see the testkit. @internal */
  abandon(): void {
    this.#session.ledger?.abandon();
    this.#session.driver.abandon?.();
    this.#session.forget();
    this.#session.intake.drain();
    this.#handover.close();
    void this.#session.intake.halt();
    this.#closing = Promise.resolve();
    this.#parts.onClosed();
  }

  /** What `run` and `relay` read through: nothing is acked but by them. @internal */
  claimForWork(what: "run" | "relay"): WorkSource<T> {
    this.#assertFree(what);
    const { plan } = this.#parts;
    if (this.#session.ledger !== undefined && plan.autoCommit === "disabled") {
      throw new StreamError("invalid-option", `${what} settles by itself, which autoCommit "disabled" forbids: use "rolling"`);
    }
    this.#reading = what;
    this.#last = undefined;
    const { ledger } = this.#session;
    if (ledger !== undefined) ledger.settlesByHand = true;
    return {
      parts: this.#parts,
      session: this.#session,
      handover: this.#handover,
      ending: this.#winding.signal,
      release: () => {
        if (ledger !== undefined) ledger.settlesByHand = false;
        this.#reading = "nothing";
        this.#tellDrained();
      },
    };
  }

  async #close(): Promise<void> {
    this.#ending.abort();
    this.#winding.abort();
    this.#handover.close();
    // It hears of the end, and leaves one session to be closed.
    await this.#moving?.catch(() => undefined);
    try {
      await this.#session.close(this.#hurrying.signal);
    } finally {
      this.#parts.onClosed();
      this.#tellDrained();
    }
  }

  /** A source for one reader; the consumer is busy until it is released. */
  #claim(what: string): MessageSource<T> {
    this.#assertFree(what);
    this.#reading = "stream";
    this.#last = undefined;
    return {
      tryRead: () => {
        this.#assertAlone();
        return this.#tryRead();
      },
      read: (signal) => this.#wait(signal),
      release: () => {
        this.#reading = "nothing";
        this.#last = undefined;
        this.#loopHasOne = false;
        this.#tellDrained();
      },
    };
  }

  /** On-next: one message at a time is asked for, because asking acks the one before. */
  #assertAlone(): void {
    if (!this.#acksOnNext || (!this.#isArriving && !this.#handover.awaited)) return;
    throw new StreamError(
      "consumer-busy",
      'a second next() while one waits: in on-next the order of acks would be lost; use run, or autoCommit "rolling"',
    );
  }

  #read(signal: AbortSignal | undefined): Message<T> | Promise<Message<T>> {
    return (signal?.aborted === true ? undefined : this.#tryRead()) ?? this.#wait(signal);
  }

  #tryRead(): Message<T> | undefined {
    const last = this.#last;
    this.#loopHasOne = false;
    if (last === undefined && !this.#acksOnNext && !this.#draining) {
      const message = this.#handover.tryNext("program");
      this.#loopHasOne = message !== undefined;
      return message;
    }
    const { ledger } = this.#session;
    this.#last = undefined;
    if (last !== undefined) ledger?.ackBeforeNext(last);
    if (this.#draining) {
      this.#tellDrained();
      throw closedError();
    }
    const message = this.#handover.tryNext("program");
    if (message === undefined) ledger?.endAckBeforeNext();
    else {
      this.#loopHasOne = true;
      if (this.#acksOnNext) this.#last = message;
    }
    return message;
  }

  #wait(signal: AbortSignal | undefined): Promise<Message<T>> {
    this.#isArriving = true;
    return this.#handover.next("program", signal).then(
      (message) => {
        this.#isArriving = false;
        this.#loopHasOne = true;
        if (this.#acksOnNext) this.#last = message;
        return message;
      },
      (error: unknown) => {
        this.#isArriving = false;
        throw error;
      },
    );
  }

  #tellDrained(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  async #move(targets: readonly ShardPosition[], signal: AbortSignal | undefined): Promise<void> {
    this.#assertOpen();
    this.#assertSeekable();
    if (this.#reading === "fetch" || this.#reading === "run" || this.#reading === "relay" || this.#moving !== undefined) {
      throw new StreamError(
        "consumer-busy",
        `seek while a ${this.#moving === undefined ? this.#reading : "seek"} of this consumer is under way: await it first`,
      );
    }
    // Nothing of before the move may be handed over once it has begun.
    this.#handover.hold();
    const call = anySignal(signal, this.#ending.signal);
    this.#moving = this.#isUngrouped ? this.#seek(targets, call) : this.#leaveGroup(targets, call);
    try {
      await this.#moving;
    } finally {
      this.#moving = undefined;
      this.#handover.release();
    }
  }

  async #seek(targets: readonly ShardPosition[], signal: AbortSignal): Promise<void> {
    const { clock, timeoutMs, wrapper } = this.#parts;
    const { driver, intake } = this.#session;
    try {
      const { epoch } = await withDeadline({ clock, timeoutMs, signal, what: "seeking" }, (call) => driver.seek(targets, call));
      intake.reset(epoch);
      this.#session.forget();
    } catch (error) {
      throw wrapper.wrap(error, { what: "seeking" });
    }
  }

  /**
   * Pending acks are committed (if they cannot be, it stays in its group), the rest is given back; from here on it reads in real-time
   * mode. If that cannot be opened, reading fails until a seek succeeds.
   */
  async #leaveGroup(targets: readonly ShardPosition[], signal: AbortSignal): Promise<void> {
    if (!this.#isStranded) await this.#endMembership(signal);
    try {
      const session = await this.#parts.reopen(targets, signal);
      this.#session = session;
    } catch (error) {
      this.#handover.fail(error);
      throw error;
    }
    this.#handover.attach(this.#session);
    this.#isStranded = false;
    this.#isUngrouped = true;
    // Closed meanwhile: whoever closes it waits for this, and closes what was opened.
    this.#assertOpen();
  }

  async #endMembership(signal: AbortSignal): Promise<void> {
    const { plan, publish } = this.#parts;
    if (plan.autoCommit !== "disabled") await this.#session.ledger?.commit(signal);
    this.#last = undefined;
    this.#acksOnNext = false;
    this.#isStranded = true;
    await this.#session.close().catch((error: unknown) => {
      publish({ code: "close-failed", level: "warn", message: "leaving the group for a seek did not end well; the seek goes on", error });
    });
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }

  #assertSeekable(): void {
    if (this.#parts.unsupported.seek !== undefined) throw this.#parts.unsupported.seek;
  }

  #assertFree(what: string): void {
    this.#assertOpen();
    // Asking for the next message acks the one before, also at the end.
    if (this.#draining && what !== "next") throw closedError();
    if (this.#reading === "nothing") return;
    const hint = this.#reading === "stream" ? "leave its loop (or cancel its readable) first" : "await it first";
    throw new StreamError("consumer-busy", `${what} while a ${this.#reading} of this consumer is open: ${hint}`);
  }
}

/** What `run` and `relay` work with. */
export interface WorkSource<T> {
  readonly parts: ConsumerParts<T>;
  readonly session: Session<T>;
  readonly handover: Handover<T>;
  /** Aborted when the work is to come to its end. */
  readonly ending: AbortSignal;
  release(): void;
}
