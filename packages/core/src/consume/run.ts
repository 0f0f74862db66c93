/**
 * `run`: reads, starts handlers within bounds, and settles each message by what became of it. One message's way: read unread, its gate
 * (`orderBy`), a free slot, handed over, the handler, then ack, a later redelivery, or a dead letter.
 */
import { bothFailed } from "../error/both-failed.ts";
import { isStreamError, StreamError } from "../error/stream-error.ts";
import { Fifo } from "../message/fifo.ts";
import { Message } from "../message/message.ts";
import { processChannel } from "../observe/channels.ts";
import { type Backoff, backoffDelayMs } from "../time/backoff.ts";
import type { Timer } from "../time/clock.ts";
import { checkRunOptions } from "./check-run-options.ts";
import { collectBatch } from "./collect-batch.ts";
import type { WorkSource } from "./consumer.ts";
import { DeadLetterer, type DeadLetterReason } from "./dead-letter.ts";
import { Delivery } from "./delivery.ts";
import { RETRY_BACKOFF } from "./handover.ts";
import { OrderGates } from "./order-gates.ts";
import { Probation } from "./probation.ts";
import { type BatchHandler, type Handler, NonRetryableError, type RunOptions } from "./run-options.ts";
import { Work } from "./work.ts";

const DRAIN_TIMEOUT_MS = 30_000;

/** Throws `invalid-option` for what does not go together; resolves when all is drained. */
export async function runHandler<T>(source: WorkSource<T>, handler: Handler<T> | BatchHandler<T>, options: RunOptions<T>): Promise<void> {
  checkRunOptions(options, source.parts.onDecodeError);
  await new Runner(source, handler, options).run();
}

class Runner<T> {
  readonly #source: WorkSource<T>;
  readonly #handler: Handler<T> | BatchHandler<T>;
  readonly #options: RunOptions<T>;
  readonly #concurrency: number;
  readonly #gates: OrderGates<T>;
  readonly #deadLetters: DeadLetterer | undefined;
  readonly #probation: Probation;
  readonly #handlerTimeoutMs: number;
  /** The broker tracks deliveries, so that they can be lost. */
  readonly #isTracked: boolean;
  readonly #stop = new AbortController();
  readonly #running = new Set<Work<T>>();
  /** May start as soon as a slot is free. */
  readonly #ready: Fifo<Message<T>> = new Fifo();
  /** Read, and not started because the run had to stop. */
  readonly #unstarted: Message<T>[] = [];
  /** Failed here and nak'ed to the broker: they do not kill the process. */
  readonly #failedHere = new Set<string>();
  /** Messages on their way to the dead letters. */
  #givingUp = 0;
  /** What handlers terminated, until they return. */
  readonly #terminated = new Map<Message<T>, string | undefined>();
  /** Handlers that timed out and have not returned. */
  #lingering = 0;
  #waiter: (() => void) | undefined;
  #isStarting = false;
  #isLate = false;
  #timeoutTimer: Timer | undefined;
  #failure: unknown;

  constructor(source: WorkSource<T>, handler: Handler<T> | BatchHandler<T>, options: RunOptions<T>) {
    this.#source = source;
    this.#handler = handler;
    this.#options = options;
    this.#concurrency = options.concurrency ?? 1;
    this.#gates = new OrderGates<T>(options.orderBy ?? "none");
    const { plan, createProducer, countsGivenBack } = source.parts;
    this.#deadLetters = options.deadLetter === undefined ? undefined : new DeadLetterer(options.deadLetter, plan.group, createProducer);
    this.#probation = new Probation(options.retry?.maxDeliveries, countsGivenBack, source.session.driver.flow === "push");
    this.#isTracked = source.session.ledger !== undefined;
    this.#handlerTimeoutMs = options.handlerTimeoutMs ?? plan.keepAliveMs;
  }

  async run(): Promise<void> {
    const { session, handover, ending, parts } = this.#source;
    const { book, ledger } = session;
    const { signal } = this.#options;
    const stop = (): void => {
      this.#stop.abort();
      this.#changed();
    };
    for (const each of [signal, ending]) {
      if (each?.aborted) stop();
      each?.addEventListener("abort", stop, { once: true });
    }
    if (this.#deadLetters !== undefined) book.onTerm = (message, reason) => void this.#terminated.set(message as Message<T>, reason);
    if (this.#keepsOrder) session.onDue = this.#startAgain;
    const nakByCore = ledger?.nakByCore;
    if (ledger !== undefined) {
      if (this.#keepsOrder) ledger.nakByCore = true;
      ledger.isTimedByRun = this.#handlerTimeoutMs > 0 && this.#handlerTimeoutMs <= parts.plan.keepAliveMs;
    }
    handover.onRelease = () => this.#changed();
    try {
      await this.#read();
    } catch (error) {
      // What is under way is finished first.
      this.#failure = error;
      this.#stop.abort();
    }
    try {
      await this.#drain();
    } finally {
      for (const each of [signal, ending]) each?.removeEventListener("abort", stop);
      handover.onRelease = undefined;
      session.onDue = undefined;
      book.onTerm = undefined;
      session.intake.askOne(false);
      if (ledger !== undefined) {
        ledger.nakByCore = nakByCore ?? ledger.nakByCore;
        ledger.isTimedByRun = false;
      }
      this.#timeoutTimer?.cancel();
    }
    await this.#closeDeadLetters();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #closeDeadLetters(): Promise<void> {
    const closing = this.#deadLetters?.close().catch((error: unknown) => {
      this.#failure = this.#failure === undefined ? error : bothFailed(this.#failure, error);
    });
    // Past the deadline nobody waits for a stream that does not answer.
    if (!this.#isLate) await closing;
  }

  get #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  get #keepsOrder(): boolean {
    return (this.#options.orderBy ?? "none") !== "none";
  }

  /** Whether a handler may start now. */
  get #hasSlot(): boolean {
    return this.#running.size + this.#givingUp < this.#concurrency && this.#lingering < this.#concurrency;
  }

  /** Whether another message may be asked for: while one is handled alone, the process may die with whatever it has beside it. */
  get #mayRead(): boolean {
    return this.#hasSlot && !(this.#probation.isOn && this.#running.size + this.#givingUp > 0);
  }

  get #isBusy(): boolean {
    return this.#running.size + this.#givingUp + this.#ready.length + this.#gates.waiting > 0;
  }

  /** Until the run is to stop, or nothing follows and nothing comes again. */
  async #read(): Promise<void> {
    do {
      await (this.#options.batch === undefined ? this.#readEach() : this.#readBatches(this.#options.batch));
      while (this.#isBusy && !this.#isStopping) await this.#change();
      // Where no broker counts what is open, a bounded read may end before its last handler fails.
    } while (this.#source.session.book.open > 0 && !this.#isStopping);
  }

  async #readEach(): Promise<void> {
    // How many messages may wait behind closed gates before reading stops.
    const lookahead = Math.max(this.#source.parts.plan.maxPrefetchMessages, 1);
    while (!this.#isStopping) {
      if (!this.#mayRead || this.#gates.waiting >= lookahead) {
        await this.#change();
        continue;
      }
      const message = this.#tryRead() ?? (await this.#next());
      if (message === undefined) return;
      if (this.#mustJudge(message) && !(await this.#examine(message, []))) continue;
      if (this.#gates.enter(message)) this.#begin(message);
    }
  }

  async #readBatches(batch: { readonly maxMessages: number; readonly maxWaitMs: number }): Promise<void> {
    const { handover, parts } = this.#source;
    while (!this.#isStopping) {
      if (!this.#mayRead || handover.isHeld) {
        await this.#change();
        continue;
      }
      const limit = this.#probation.isOn ? { maxMessages: 1, maxWaitMs: 0 } : batch;
      const { messages, ended, failure } = await collectBatch(handover, limit, parts.clock, this.#stop.signal);
      const good = await this.#examineAll(messages);
      while (handover.isHeld && !this.#isStopping) await this.#change();
      if (this.#isStopping) this.#unstarted.push(...good);
      else this.#beginBatch(good);
      if (failure !== undefined) throw failure;
      if (ended) return;
    }
  }

  /** Those that may be handled together: one alone if it is a suspect. */
  async #examineAll(messages: readonly Message<T>[]): Promise<readonly Message<T>[]> {
    for (const message of messages) {
      if (!this.#mustJudge(message)) continue;
      const others = messages.filter((other) => other !== message);
      if (!(await this.#examine(message, others))) return [];
      if (this.#probation.isOn) return [message];
    }
    return messages;
  }

  #beginBatch(messages: readonly Message<T>[]): void {
    const { book } = this.#source.session;
    const good = messages.filter((message) => book.handOver(message) && !this.#isEndedUnhandled(message));
    if (good.length > 0) this.#start(good);
  }

  #tryRead(): Message<T> | undefined {
    return this.#source.handover.tryNext("runner");
  }

  /** The next message, not handed over yet; undefined when there will be none. */
  async #next(): Promise<Message<T> | undefined> {
    try {
      return await this.#source.handover.next("runner", this.#stop.signal);
    } catch (error) {
      if (isStreamError(error, "closed")) this.#stop.abort();
      if (isStreamError(error, "stream-ended") || isStreamError(error, "closed")) return undefined;
      if (isStreamError(error, "aborted") && this.#isStopping) return undefined;
      throw error;
    }
  }

  #mustJudge({ settler }: Message<T>): boolean {
    return this.#options.retry?.maxDeliveries !== undefined && settler instanceof Delivery;
  }

  /**
   * What comes before a message that may have killed the process. `others` were read with it, and are given back if it is to be alone.
   * False: the run is to stop, and none of them is begun.
   */
  async #examine(message: Message<T>, others: readonly Message<T>[]): Promise<boolean> {
    const delivery = message.settler as Delivery;
    const failedHere = delivery.failedHere || this.#failedHere.has(idOf(message));
    const verdict = this.#probation.judge(delivery.count, failedHere);
    const { session, parts } = this.#source;
    const { streamKey, shardId, sequence, deliveryCount } = message;
    const suspect = `message ${sequence} of "${streamKey}" was delivered ${deliveryCount} times and never settled`;
    if (verdict === "dead-letter") delivery.isUnhandled = true;
    else if (verdict === "suspect") {
      const text = `${suspect}; with delivery "pull" it would be handled alone`;
      parts.publish({ code: "poison-suspected", level: "warn", message: text, streamKey, shardId });
    } else if (verdict === "alone") {
      session.intake.askOne(true);
      if (this.#probation.begins) {
        parts.publish({ code: "probation", level: "warn", message: `${suspect}: it is handled alone`, streamKey, shardId });
        // A read under way was asked for many.
        await session.intake.halt();
        await session.book.giveBack([...others, ...this.#gates.drain(), ...this.#ready.drain(), ...session.intake.drain()]);
      }
      while (this.#running.size + this.#givingUp > 0 && !this.#isStopping) await this.#change();
      if (this.#isStopping) {
        this.#unstarted.push(message);
        return false;
      }
      // Should this one kill the process, what was done before must not come again with a count that looks like its own.
      await session.ledger?.commit().catch((error: unknown) => {
        parts.publish({ code: "commit-failed", level: "warn", message: "acks could not be committed before a suspect is handled", error });
      });
    } else if (this.#probation.ends) session.intake.askOne(false);
    return true;
  }

  /** Handed over, and dealt with without its handler: it cannot be decoded, or was delivered too often. */
  #isEndedUnhandled(message: Message<T>): boolean {
    const { settler, fault } = message;
    if (settler instanceof Delivery && settler.isUnhandled) {
      const error = new Error(`delivered ${message.deliveryCount} times and never settled: it may have killed its consumers`);
      void this.#giveUp(message, "poison", error);
      return true;
    }
    const { parts, session } = this.#source;
    const policy = parts.onDecodeError ?? (this.#deadLetters === undefined ? "throw" : "dead-letter");
    if (fault === undefined || policy === "raw") return false;
    this.#report(fault, message);
    if (policy === "dead-letter" && this.#deadLetters !== undefined) void this.#giveUp(message, "decode-failed", fault);
    else if (policy === "term") {
      const { streamKey, shardId } = message;
      const text = `dropped, as onDecodeError says: ${fault.message}`;
      parts.publish({ code: "message-dropped", level: "warn", message: text, streamKey, shardId, error: fault });
      // Whoever says "term" wants no dead letter of it.
      const { onTerm } = session.book;
      session.book.onTerm = undefined;
      message.term(fault.message);
      session.book.onTerm = onTerm;
      this.#leave(message);
    } else this.#retry(message);
    return true;
  }

  /** Starts a message whose gate is open, now or when a slot is free. */
  #begin(message: Message<T>): void {
    const { session, handover } = this.#source;
    if (this.#isStopping) this.#unstarted.push(message);
    else if (!this.#hasSlot || handover.isHeld) this.#ready.push(message);
    else if (!session.book.handOver(message)) this.#leave(message);
    else if (!this.#isEndedUnhandled(message)) this.#start(message);
  }

  #start(messages: readonly Message<T>[] | Message<T>): void {
    const { clock } = this.#source.parts;
    const work = new Work(messages, clock.monotonic());
    this.#running.add(work);
    if (this.#isTracked) {
      work.each(({ settler }) => {
        (settler as Delivery).onLost = work;
      });
    }
    this.#awaitTimeouts();
    let returned: unknown;
    try {
      returned = processChannel.hasSubscribers ? this.#traced(work) : this.#call(work);
    } catch (error) {
      this.#failed(work, error);
      return;
    }
    // Also what only behaves like a promise: acked too early its message would be lost.
    if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then === "function") {
      Promise.resolve(returned).then(
        () => this.#succeeded(work),
        (error: unknown) => this.#failed(work, error),
      );
    } else this.#succeeded(work);
  }

  #traced(work: Work<T>): Promise<unknown> {
    const messages = work.messages instanceof Message ? [work.messages] : work.messages;
    const backend = this.#source.parts.backend;
    return processChannel.tracePromise(async () => this.#call(work), { backend, messages });
  }

  #call(work: Work<T>): unknown {
    const { middleware, batch } = this.#options;
    if (batch !== undefined) return (this.#handler as BatchHandler<T>)(work.messages as readonly Message<T>[], work);
    const message = work.messages as Message<T>;
    const handler = this.#handler as Handler<T>;
    if (middleware === undefined || middleware.length === 0) return handler(message, work);
    const step = async (index: number): Promise<void> => {
      const around = middleware[index];
      if (around === undefined) await handler(message, work);
      else await around(message, () => step(index + 1));
    };
    return step(0);
  }

  #succeeded(work: Work<T>): void {
    if (!this.#finish(work)) return;
    work.each(this.#done);
    this.#changed();
  }

  #failed(work: Work<T>, error: unknown): void {
    if (!this.#finish(work)) return;
    work.each((message) => this.#messageFailed(message, error));
    this.#changed();
  }

  readonly #done = (message: Message<T>): void => {
    if (this.#isTerminated(message)) return;
    if (this.#failedHere.size > 0) this.#failedHere.delete(idOf(message));
    if (this.#source.session.book.isHeld(message)) message.ack();
    this.#leaveSettled(message);
  };

  /** False: it timed out before, and its result is ignored. */
  #finish(work: Work<T>): boolean {
    if (work.isOver) {
      this.#lingering -= 1;
      this.#changed();
      return false;
    }
    this.#running.delete(work);
    return true;
  }

  /** The handler terminated it: it is dead-lettered. */
  #isTerminated(message: Message<T>): boolean {
    if (!this.#terminated.has(message)) return false;
    const reason = this.#terminated.get(message) ?? "terminated by its handler";
    this.#terminated.delete(message);
    const { book } = this.#source.session;
    book.reopen(message);
    // Lost meanwhile: whoever has it now decides.
    if (book.isHeld(message)) void this.#giveUp(message, "terminated", reason);
    else this.#leave(message);
    return true;
  }

  #messageFailed(message: Message<T>, error: unknown): void {
    this.#report(error, message);
    if (this.#isTerminated(message)) return;
    if (!this.#source.session.book.isHeld(message)) {
      // The handler settled it itself before it threw, or it is lost.
      this.#leaveSettled(message);
      return;
    }
    const max = this.#options.retry?.maxDeliveries;
    const isNonRetryable = error instanceof NonRetryableError;
    const isFinal = isNonRetryable || (max !== undefined && message.deliveryCount >= max);
    if (isFinal && this.#deadLetters !== undefined) void this.#giveUp(message, isNonRetryable ? "non-retryable" : "max-deliveries", error);
    else this.#retry(message);
  }

  /** What `onError` throws is its own failure: it must not keep the message from being settled. */
  #report(error: unknown, message: Message<T>): void {
    try {
      this.#options.onError?.(error, message);
    } catch (thrown) {
      throwUncaught(thrown);
    }
  }

  /** Puts it among the dead letters and acks it; if that fails, nothing is acked and it comes again. It holds its slot until then. */
  async #giveUp(message: Message<T>, reason: DeadLetterReason, error: unknown): Promise<void> {
    const { parts, session } = this.#source;
    const { streamKey, shardId } = message;
    this.#givingUp += 1;
    try {
      await this.#deadLetters?.put(message, reason, error);
      this.#failedHere.delete(idOf(message));
      if (session.book.isHeld(message)) message.ack();
      const text = `message ${message.sequence} of "${streamKey}" was dead-lettered (${reason}) after ${message.deliveryCount} deliveries`;
      parts.publish({ code: "dead-lettered", level: "warn", message: text, streamKey, shardId, error });
      this.#leave(message);
    } catch (cause) {
      const failure = parts.wrapper.wrap(cause, { what: "dead-lettering", streamKey });
      const text = `message ${message.sequence} of "${streamKey}" could not be dead-lettered, it comes again: ${failure.message}`;
      parts.publish({ code: "dead-letter-failed", level: "error", message: text, streamKey, shardId, error: failure });
      if (session.book.isHeld(message)) this.#retry(message);
      else this.#leave(message);
    } finally {
      this.#givingUp -= 1;
      this.#changed();
    }
  }

  /** It comes again after its back-off; with `orderBy` its gate stays closed until then. */
  #retry(message: Message<T>): void {
    const { ledger } = this.#source.session;
    if (ledger?.nakByCore === false && this.#mustJudge(message)) this.#remember(message);
    message.nak({ delayMs: this.#backoffMs(message) });
    this.#leaveSettled(message);
  }

  #backoffMs(message: Message<T>): number {
    const { random } = this.#source.parts;
    const given: Backoff | ((deliveries: number) => number) = this.#options.retry?.backoff ?? RETRY_BACKOFF;
    if (typeof given !== "function") return backoffDelayMs(given, message.deliveryCount, random);
    try {
      const delayMs = given(message.deliveryCount);
      if (delayMs >= 0) return delayMs;
      throw new TypeError("retry.backoff gives a number of milliseconds from 0");
    } catch (error) {
      throwUncaught(error);
      return backoffDelayMs(RETRY_BACKOFF, message.deliveryCount, random);
    }
  }

  /** The broker gives it again, perhaps to another member: so the oldest go when there are many. */
  #remember(message: Message<T>): void {
    this.#failedHere.add(idOf(message));
    const [oldest] = this.#failedHere;
    if (oldest !== undefined && this.#failedHere.size > MAX_REMEMBERED) this.#failedHere.delete(oldest);
  }

  /** For `orderBy`: what is due again goes before all that waits behind its gate. */
  readonly #startAgain = (messages: readonly Message<unknown>[]): void => {
    for (const message of messages as readonly Message<T>[]) {
      if (this.#isStopping) {
        // For whoever reads next.
        this.#source.session.intake.giveAgain([message]);
        continue;
      }
      const { settler } = message;
      if (settler instanceof Delivery && !settler.failedHere) settler.isUnhandled = this.#probation.isPoison(settler.count);
      if (this.#gates.comeBack(message)) this.#begin(message);
    }
  };

  /** Done with here, or, if it was nak'ed and order is kept, still the next of its gate. */
  #leaveSettled(message: Message<T>): void {
    const { session } = this.#source;
    if (session.onDue === undefined || !session.book.isWaiting(message)) {
      this.#leave(message);
      return;
    }
    this.#gates.vacate(message);
    if (message.settler instanceof Delivery) message.settler.onLost = { lost: () => this.#leave(message) };
  }

  /** The message is done with here: what waits behind it may go. */
  #leave(message: Message<T>): void {
    const next = this.#gates.leave(message);
    if (next === undefined) return;
    this.#ready.push(next);
    this.#startReady();
  }

  /** In a loop, not each from the one before: a long queue of handlers that return at once would fill the stack. */
  #startReady(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    const { handover } = this.#source;
    while ((this.#hasSlot && !handover.isHeld) || this.#isStopping) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      this.#begin(next);
    }
    this.#isStarting = false;
  }

  #changed(): void {
    this.#startReady();
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }

  /** Resolves at the next change of slots or gates, or when the run is to stop. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  /** One timer, for the oldest. */
  #awaitTimeouts(): void {
    const [oldest] = this.#running;
    if (this.#handlerTimeoutMs <= 0 || oldest === undefined || this.#timeoutTimer !== undefined) return;
    const { clock } = this.#source.parts;
    const delayMs = oldest.startedMs + this.#handlerTimeoutMs - clock.monotonic();
    this.#timeoutTimer = clock.setTimer(this.#checkTimeouts, Math.max(1, delayMs), { background: true });
  }

  readonly #checkTimeouts = (): void => {
    this.#timeoutTimer = undefined;
    const nowMs = this.#source.parts.clock.monotonic();
    for (const work of this.#running) {
      if (nowMs - work.startedMs < this.#handlerTimeoutMs) break;
      this.#running.delete(work);
      work.isOver = true;
      this.#lingering += 1;
      const error = new StreamError("timeout", `the handler took longer than handlerTimeoutMs (${this.#handlerTimeoutMs} ms)`);
      work.abort(error);
      work.each((message) => this.#messageFailed(message, error));
    }
    this.#awaitTimeouts();
    this.#changed();
  };

  /** Puts away what was not started, and waits for what was, until the deadline. */
  async #drain(): Promise<void> {
    const { parts } = this.#source;
    if (!this.#isStopping && !this.#isBusy) return;
    const drainTimeoutMs = this.#options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS;
    const late = Promise.withResolvers<void>();
    const timer = parts.clock.setTimer(() => {
      this.#isLate = true;
      late.resolve();
    }, drainTimeoutMs);
    await Promise.race([this.#putAway(), late.promise]);
    while (this.#isBusy && !this.#isLate) await Promise.race([this.#change(), late.promise]);
    timer.cancel();
    if (!this.#isLate) return;
    for (const work of this.#running)
      work.abort(new StreamError("aborted", `the run is ending and drainTimeoutMs (${drainTimeoutMs} ms) is over`));
    parts.publish({
      code: "drain-timeout",
      level: "warn",
      message: `${this.#running.size} handlers did not finish within ${drainTimeoutMs} ms`,
      count: this.#running.size,
    });
  }

  /** To the broker, or, where it would not give them again, to whoever reads next. */
  async #putAway(): Promise<void> {
    const { intake, book } = this.#source.session;
    await intake.halt();
    const left = [...this.#unstarted.splice(0), ...this.#ready.drain(), ...this.#gates.drain()];
    if (book.givesBack) await book.giveBack([...left, ...intake.drain()]);
    else intake.putBack(left.sort(bySequence));
  }
}

const MAX_REMEMBERED = 10_000;

function idOf({ streamKey, shardId, id }: Message<unknown>): string {
  return `${streamKey}/${shardId}/${id}`;
}

/** Within each shard as they came. */
function bySequence(a: Message<unknown>, b: Message<unknown>): number {
  if (a.streamKey !== b.streamKey) return a.streamKey < b.streamKey ? -1 : 1;
  if (a.shardId !== b.shardId) return a.shardId - b.shardId;
  return a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0;
}

/** What the program's own callback threw is the program's to hear of. */
function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
