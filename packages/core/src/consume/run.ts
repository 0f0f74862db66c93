/**
 * `run`: reads, starts handlers within bounds, and settles each message by what became of it. One message's way: read unread, its gate
 * (`orderBy`), a free slot, handed over, the handler, then ack, a later redelivery, or a dead letter.
 */
import { isStreamError, StreamError } from "../error/stream-error.ts";
import { Fifo } from "../message/fifo.ts";
import { Message } from "../message/message.ts";
import { type Backoff, backoffDelayMs } from "../time/backoff.ts";
import type { Timer } from "../time/clock.ts";
import { collectBatch } from "./collect-batch.ts";
import type { WorkSource } from "./consumer.ts";
import { DeadLetterer, type DeadLetterReason } from "./dead-letter.ts";
import { Delivery, type LossListener } from "./delivery.ts";
import { RETRY_BACKOFF } from "./handover.ts";
import { OrderGates } from "./order-gates.ts";
import { Probation } from "./probation.ts";
import { type BatchHandler, type Handler, type HandlerContext, NonRetryableError, type RunOptions } from "./run-options.ts";

const DRAIN_TIMEOUT_MS = 30_000;

/** One call of the handler, with one message or a batch. */
class Work<T> implements HandlerContext, LossListener {
  readonly messages: readonly Message<T>[] | Message<T>;
  readonly startedMs: number;
  /** It timed out: what it still does is ignored. */
  isOver = false;
  #controller: AbortController | undefined;
  #abortReason: unknown;

  constructor(messages: readonly Message<T>[] | Message<T>, startedMs: number) {
    this.messages = messages;
    this.startedMs = startedMs;
  }

  /** Made when a handler asks for it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  each(visit: (message: Message<T>) => void): void {
    if (this.messages instanceof Message) visit(this.messages);
    else for (const message of this.messages) visit(message);
  }

  /** Its message, or one of them, went to another consumer. */
  lost(): void {
    this.abort(new StreamError("aborted", "the message is no longer this consumer's"));
  }

  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }
}

/** Throws `invalid-option` for what does not go together; resolves when all is drained. */
export async function runHandler<T>(source: WorkSource<T>, handler: Handler<T> | BatchHandler<T>, options: RunOptions<T>): Promise<void> {
  checkRunOptions(source, options);
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
  /** Messages on their way to the dead letters. */
  #givingUp = 0;
  /** What handlers terminated, until they return. */
  readonly #terminated = new Map<Message<T>, string | undefined>();
  /** Handlers that timed out and have not returned. */
  #lingering = 0;
  #waiter: (() => void) | undefined;
  #timeoutTimer: Timer | undefined;

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
    const { session, ending } = this.#source;
    const { signal } = this.#options;
    const stop = (): void => {
      this.#stop.abort();
      this.#changed();
    };
    for (const each of [signal, ending]) {
      if (each?.aborted) stop();
      each?.addEventListener("abort", stop, { once: true });
    }
    if (this.#deadLetters !== undefined)
      session.book.onTerm = (message, reason) => void this.#terminated.set(message as Message<T>, reason);
    const keepsOrder = (this.#options.orderBy ?? "none") !== "none";
    if (keepsOrder) session.onDue = this.#startAgain;
    const nakByCore = session.ledger?.nakByCore;
    if (session.ledger !== undefined && keepsOrder) session.ledger.nakByCore = true;
    try {
      await (this.#options.batch === undefined ? this.#readEach() : this.#readBatches(this.#options.batch));
      await this.#drain();
    } finally {
      for (const each of [signal, ending]) each?.removeEventListener("abort", stop);
      session.onDue = undefined;
      session.book.onTerm = undefined;
      session.intake.askOne(false);
      if (session.ledger !== undefined && nakByCore !== undefined) session.ledger.nakByCore = nakByCore;
      this.#timeoutTimer?.cancel();
      await this.#deadLetters?.close();
    }
  }

  get #isStopping(): boolean {
    return this.#stop.signal.aborted;
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

  async #readEach(): Promise<void> {
    // How many messages may wait behind closed gates before reading stops.
    const lookahead = Math.max(this.#source.parts.plan.maxPrefetchMessages, 1);
    while (!this.#isStopping) {
      if (!this.#mayRead || this.#gates.waiting >= lookahead) {
        await this.#change();
        continue;
      }
      const message = this.#tryRead() ?? (await this.#read());
      if (message === undefined) return;
      if (this.#needsExamining(message) && !(await this.#examine(message))) continue;
      if (this.#gates.enter(message)) this.#begin(message);
    }
  }

  async #readBatches(batch: { readonly maxMessages: number; readonly maxWaitMs: number }): Promise<void> {
    const { handover, parts, session } = this.#source;
    while (!this.#isStopping) {
      if (!this.#mayRead) {
        await this.#change();
        continue;
      }
      const size = this.#probation.isOn ? { maxMessages: 1, maxWaitMs: 0 } : batch;
      const { messages, ended } = await collectBatch(handover, size, parts.clock, this.#stop.signal);
      const good = (await this.#examineBatch(messages)).filter((message) => session.book.handOver(message));
      if (good.length > 0) this.#start(good);
      if (ended) return;
    }
  }

  /** What of a batch is to be handled: all that is fine, or the one that has to be handled alone. */
  async #examineBatch(messages: readonly Message<T>[]): Promise<readonly Message<T>[]> {
    let good: Message<T>[] = [];
    for (const [index, message] of messages.entries()) {
      const wasAlone = this.#probation.isOn;
      const others = [...good, ...messages.slice(index + 1)];
      if (!this.#needsExamining(message) || (await this.#examine(message, others))) {
        if (this.#probation.isOn && !wasAlone) return [message];
        good.push(message);
      } else if (this.#probation.isOn && !wasAlone) good = [];
    }
    return good;
  }

  #tryRead(): Message<T> | undefined {
    return this.#source.handover.tryNext("runner");
  }

  /** The next message, not handed over yet; undefined when there will be none. */
  async #read(): Promise<Message<T> | undefined> {
    try {
      return await this.#source.handover.next("runner", this.#stop.signal);
    } catch (error) {
      if (isStreamError(error, "stream-ended") || isStreamError(error, "closed")) return undefined;
      if (isStreamError(error, "aborted") && this.#isStopping) return undefined;
      throw error;
    }
  }

  #needsExamining(message: Message<T>): boolean {
    return message.fault !== undefined || this.#options.retry?.maxDeliveries !== undefined;
  }

  /** What comes before a message's handler: what cannot be decoded, and what may have killed the process before. False: it is dealt with. `others` were read with it. */
  async #examine(message: Message<T>, others: readonly Message<T>[] = []): Promise<boolean> {
    if (message.fault !== undefined && !(await this.#acceptFaulty(message, message.fault))) return false;
    const delivery = message.settler instanceof Delivery ? message.settler : undefined;
    if (delivery === undefined) return true;
    const verdict = this.#probation.judge(delivery);
    const { session, parts } = this.#source;
    if (verdict === "dead-letter") {
      if (!session.book.handOver(message)) return false;
      const error = new Error(`delivered ${message.deliveryCount} times and never settled: it may have killed its consumers`);
      await this.#giveUp(message, "poison", error);
      return false;
    }
    if (verdict === "suspect") {
      const { streamKey, shardId } = message;
      const text = `message ${message.sequence} of "${streamKey}" was delivered ${message.deliveryCount} times and never settled; with delivery "pull" it would be handled alone`;
      parts.publish({ code: "poison-suspected", level: "warn", message: text, streamKey, shardId });
    }
    if (verdict === "alone") {
      session.intake.askOne(true);
      if (this.#probation.begins) {
        const { streamKey, shardId } = message;
        const text = `message ${message.sequence} of "${streamKey}" was delivered ${message.deliveryCount} times and never settled: it is handled alone`;
        parts.publish({ code: "probation", level: "warn", message: text, streamKey, shardId });
        await session.book.giveBack([...others, ...this.#gates.drain(), ...this.#ready.drain(), ...session.intake.drain()]);
      }
      while (this.#running.size + this.#givingUp > 0) await this.#change();
      // Should this one kill the process, what was done before must not come again with a count that looks like its own.
      await session.ledger?.commit().catch((error: unknown) => {
        parts.publish({ code: "commit-failed", level: "warn", message: "acks could not be committed before a suspect is handled", error });
      });
    } else if (this.#probation.ends) session.intake.askOne(false);
    return true;
  }

  /** True: it is handled as it is. */
  async #acceptFaulty(message: Message<T>, fault: StreamError): Promise<boolean> {
    const { parts, session } = this.#source;
    const policy = parts.onDecodeError ?? (this.#deadLetters === undefined ? "throw" : "dead-letter");
    if (policy === "raw") return true;
    if (!session.book.handOver(message)) return false;
    this.#options.onError?.(fault, message);
    if (policy === "dead-letter" && this.#deadLetters !== undefined) await this.#giveUp(message, "decode-failed", fault);
    else if (policy === "term") {
      const { streamKey, shardId } = message;
      parts.publish({
        code: "message-dropped",
        level: "warn",
        message: `dropped, as onDecodeError says: ${fault.message}`,
        streamKey,
        shardId,
        error: fault,
      });
      message.term(fault.message);
    } else this.#retry(message);
    return false;
  }

  /** Starts a message whose gate is open, now or when a slot is free. */
  #begin(message: Message<T>): void {
    if (!this.#hasSlot) {
      this.#ready.push(message);
      return;
    }
    if (this.#isStopping || !this.#source.session.book.handOver(message)) this.#leave(message);
    else this.#start(message);
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
    if (this.#handlerTimeoutMs > 0)
      this.#timeoutTimer ??= clock.setTimer(this.#checkTimeouts, Math.max(1, this.#handlerTimeoutMs / 8), { background: true });
    let returned: unknown;
    try {
      returned = this.#call(work);
    } catch (error) {
      this.#failed(work, error);
      return;
    }
    if (returned instanceof Promise) {
      returned.then(
        () => this.#succeeded(work),
        (error: unknown) => this.#failed(work, error),
      );
    } else this.#succeeded(work);
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
    if (this.#source.session.book.isHeld(message)) message.ack();
    this.#leave(message);
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
    this.#source.session.book.reopen(message);
    void this.#giveUp(message, "terminated", reason);
    return true;
  }

  #messageFailed(message: Message<T>, error: unknown): void {
    this.#options.onError?.(error, message);
    if (this.#isTerminated(message)) return;
    if (!this.#source.session.book.isHeld(message)) {
      // The handler settled it itself before it threw, or it is lost.
      this.#leave(message);
      return;
    }
    const max = this.#options.retry?.maxDeliveries;
    const isFinal = error instanceof NonRetryableError || (max !== undefined && message.deliveryCount >= max);
    if (isFinal && this.#deadLetters !== undefined) {
      void this.#giveUp(message, error instanceof NonRetryableError ? "non-retryable" : "max-deliveries", error);
    } else this.#retry(message);
  }

  /** Puts it among the dead letters and acks it; if that fails, nothing is acked and it comes again. It holds its slot until then. */
  async #giveUp(message: Message<T>, reason: DeadLetterReason, error: unknown): Promise<void> {
    const { parts, session } = this.#source;
    const { streamKey, shardId } = message;
    this.#givingUp += 1;
    try {
      await this.#deadLetters?.put(message, reason, error);
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
    const { random } = this.#source.parts;
    const backoff: Backoff | ((deliveries: number) => number) = this.#options.retry?.backoff ?? RETRY_BACKOFF;
    const delayMs = typeof backoff === "function" ? backoff(message.deliveryCount) : backoffDelayMs(backoff, message.deliveryCount, random);
    const keepsGate = this.#source.session.onDue !== undefined;
    if (keepsGate && message.settler instanceof Delivery) message.settler.onLost = { lost: () => this.#leave(message) };
    const isOurs = message.nak({ delayMs: Math.max(0, delayMs) });
    if (!keepsGate || !isOurs) this.#leave(message);
  }

  /** For `orderBy`: what is due again goes before all that waits behind its gate. */
  readonly #startAgain = (messages: readonly Message<unknown>[]): void => {
    for (const message of messages as readonly Message<T>[]) {
      if (this.#isStopping) continue;
      this.#begin(message);
    }
  };

  /** The message is done with here: what waits behind it may go. */
  #leave(message: Message<T>): void {
    const next = this.#gates.leave(message);
    if (next !== undefined) this.#begin(next);
  }

  #changed(): void {
    while (this.#hasSlot) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      this.#begin(next);
    }
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

  readonly #checkTimeouts = (): void => {
    const { clock } = this.#source.parts;
    this.#timeoutTimer = undefined;
    const nowMs = clock.monotonic();
    for (const work of [...this.#running]) {
      if (nowMs - work.startedMs < this.#handlerTimeoutMs) continue;
      const error = new StreamError("timeout", `the handler took longer than handlerTimeoutMs (${this.#handlerTimeoutMs} ms)`);
      work.abort(error);
      this.#failed(work, error);
      work.isOver = true;
      this.#lingering += 1;
    }
    if (this.#running.size > 0)
      this.#timeoutTimer = clock.setTimer(this.#checkTimeouts, Math.max(1, this.#handlerTimeoutMs / 8), { background: true });
    this.#changed();
  };

  /** Gives back what was not started, and waits for what was, until the deadline. */
  async #drain(): Promise<void> {
    const { session, parts } = this.#source;
    if (this.#isStopping) {
      await session.intake.halt();
      await session.book.giveBack([...this.#gates.drain(), ...this.#ready.drain(), ...session.intake.drain()]);
    }
    if (!this.#isBusy) return;
    const drainTimeoutMs = this.#options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS;
    let isLate = false;
    const late = Promise.withResolvers<void>();
    const timer = parts.clock.setTimer(() => {
      isLate = true;
      late.resolve();
    }, drainTimeoutMs);
    while (this.#isBusy && !isLate) {
      await Promise.race([new Promise<void>((resolve) => (this.#waiter = resolve)), late.promise]);
    }
    timer.cancel();
    if (!isLate) return;
    for (const work of this.#running)
      work.abort(new StreamError("aborted", `the run is ending and drainTimeoutMs (${drainTimeoutMs} ms) is over`));
    parts.publish({
      code: "drain-timeout",
      level: "warn",
      message: `${this.#running.size} handlers did not finish within ${drainTimeoutMs} ms`,
      count: this.#running.size,
    });
  }
}

function checkRunOptions<T>(source: WorkSource<T>, options: RunOptions<T>): void {
  const { concurrency, retry, deadLetter, orderBy, batch } = options;
  const fail = (text: string): never => {
    throw new StreamError("invalid-option", `run: ${text}`);
  };
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) fail("concurrency is a whole number from 1");
  const max = retry?.maxDeliveries;
  if (max !== undefined && !(Number.isInteger(max) && max >= 1)) fail("maxDeliveries is a whole number from 1");
  if (max !== undefined && deadLetter === undefined) {
    fail("maxDeliveries without a deadLetter would lose messages: say deadLetter: true, or deadLetter: { discard: true } if that is meant");
  }
  if (batch !== undefined && orderBy !== undefined && orderBy !== "none") fail("batch and orderBy do not go together");
  if (batch !== undefined && !(Number.isInteger(batch.maxMessages) && batch.maxMessages >= 1 && batch.maxWaitMs >= 0)) {
    fail("batch is { maxMessages: from 1, maxWaitMs: from 0 }");
  }
  if (source.parts.onDecodeError === "dead-letter" && deadLetter === undefined) fail('onDecodeError: "dead-letter" needs a deadLetter');
}
