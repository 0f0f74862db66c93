/** Hands messages from the intake to whoever asked first, at the pace that pause and rate limit allow. */
import { StreamError } from "../error/stream-error.ts";
import { Fifo } from "../message/fifo.ts";
import type { Message } from "../message/message.ts";
import { receiveChannel } from "../observe/channels.ts";
import type { StreamerEvent } from "../observe/event.ts";
import { type Backoff, backoffDelayMs } from "../time/backoff.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { abortedError } from "../time/deadline.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { Session } from "./session.ts";

export interface HandoverOptions {
  readonly backend: string;
  readonly onDecodeError: "throw" | "term" | "raw" | "dead-letter";
  readonly limiter: RateLimiter | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  publish(event: StreamerEvent): void;
}

/** `program`: what is taken is handed over. `runner`: it is handed over when its handler starts, faulty messages as well. */
export type Reader = "program" | "runner";

interface Waiter<T> {
  readonly resolve: (message: Message<T>) => void;
  readonly reject: (error: unknown) => void;
  readonly reader: Reader;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

/** How long a message that cannot be decoded waits before it comes again. */
export const RETRY_BACKOFF: Backoff = { firstMs: 1000, maxMs: 60_000 };

export class Handover<T> {
  readonly #options: HandoverOptions;
  readonly #waiters: Fifo<Waiter<T>> = new Fifo();
  #session: Session<T>;
  /** Told when messages may be handed over again. */
  onRelease: (() => void) | undefined;
  #held = 0;
  #closed = false;
  /** Why nothing can be read until another session is attached. */
  #broken: { readonly error: unknown } | undefined;
  #paceTimer: Timer | undefined;

  constructor(session: Session<T>, options: HandoverOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Whether a reader waits. */
  get awaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Whether messages are kept back. */
  get isHeld(): boolean {
    return this.#held > 0;
  }

  /** Takes from another session from now on. */
  attach(session: Session<T>): void {
    this.#session = session;
    this.#broken = undefined;
  }

  /** Nothing can be read until {@link attach}: whoever waits, or asks, gets this error. */
  fail(error: unknown): void {
    this.#broken = { error };
    for (let waiter = this.#shift(); waiter !== undefined; waiter = this.#shift()) waiter.reject(error);
  }

  /** Keeps messages back until {@link release}; nests. */
  hold(): void {
    this.#held += 1;
  }

  release(): void {
    this.#held -= 1;
    if (this.#held > 0) return;
    if (this.#waiters.length > 0) this.#session.intake.start();
    this.feed();
    this.onRelease?.();
  }

  /** How long until a message may go, ms; 0: now. */
  paceMs(): number {
    return this.#options.limiter?.delayMs() ?? 0;
  }

  /** Throws why nothing can be read, if so. */
  assertUsable(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  /** The next message, if it is there and may go now; throws what reading failed with. */
  tryNext(reader: Reader): Message<T> | undefined {
    if (this.#held > 0 || this.#waiters.length > 0 || this.#closed) return undefined;
    const limiter = this.#options.limiter;
    if (limiter !== undefined && limiter.delayMs() > 0) return undefined;
    return this.#takeOne(reader);
  }

  /** The next message; rejects `stream-ended`, `closed`, `aborted`, or what reading failed with. */
  next(reader: Reader, signal: AbortSignal | undefined): Promise<Message<T>> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#broken !== undefined) return Promise.reject(this.#broken.error);
    if (signal?.aborted) return Promise.reject(abortedError("next", signal));
    return new Promise((resolve, reject) => {
      const onAbort =
        signal === undefined
          ? undefined
          : () => {
              if (this.#waiters.remove(waiter)) reject(abortedError("next", signal));
            };
      const waiter: Waiter<T> = { resolve, reject, reader, signal, onAbort };
      if (onAbort !== undefined) signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
      if (this.#held === 0) this.#session.intake.start();
      this.feed();
    });
  }

  /** Serves waiting readers with what is there. */
  readonly feed = (): void => {
    while (this.#waiters.length > 0 && this.#held === 0) {
      const delayMs = this.#options.limiter?.delayMs() ?? 0;
      if (delayMs > 0) {
        this.#pace(delayMs);
        return;
      }
      try {
        const message = this.#takeOne(this.#waiters.peek()?.reader ?? "program");
        if (message !== undefined) this.#shift()?.resolve(message);
        else if (this.#hasEnded()) this.#shift()?.reject(endedError());
        else return;
      } catch (error) {
        this.#shift()?.reject(error);
        if (this.#waiters.length > 0) this.#session.intake.start();
      }
    }
  };

  /** No message is handed over from now on; whoever waits gets `closed`. */
  close(): void {
    this.#closed = true;
    this.#paceTimer?.cancel();
    for (let waiter = this.#shift(); waiter !== undefined; waiter = this.#shift()) waiter.reject(closedError());
  }

  /**
   * Hands one taken message to the program; undefined: it goes no further, because it was lost meanwhile or dropped as `onDecodeError`
   * says. Throws the fault under `"throw"`; in a group the message is nak'ed then, and comes again.
   */
  admit(message: Message<T>): Message<T> | undefined {
    if (!this.#session.book.handOver(message)) return undefined;
    if (message.fault !== undefined && !this.#forgive(message, message.fault)) return undefined;
    this.#options.limiter?.take();
    if (receiveChannel.hasSubscribers) receiveChannel.publish({ backend: this.#options.backend, message });
    return message;
  }

  /** Whether handing it over would throw. */
  refuses(message: Message<T>): boolean {
    const { onDecodeError } = this.#options;
    return message.fault !== undefined && (onDecodeError === "throw" || onDecodeError === "dead-letter");
  }

  #forgive(message: Message<T>, fault: StreamError): boolean {
    const { onDecodeError, publish, random } = this.#options;
    const { streamKey, shardId } = message;
    if (onDecodeError === "raw") return true;
    if (onDecodeError === "term") {
      publish({
        code: "message-dropped",
        level: "warn",
        message: `dropped, as onDecodeError says: ${fault.message}`,
        streamKey,
        shardId,
        error: fault,
      });
      message.term(fault.message);
      return false;
    }
    // In real-time mode it is passed by; in a group it is not lost.
    if (this.#session.ledger !== undefined) message.nak({ delayMs: backoffDelayMs(RETRY_BACKOFF, message.deliveryCount, random) });
    throw fault;
  }

  #takeOne(reader: Reader): Message<T> | undefined {
    const { intake, book } = this.#session;
    // Not only when nothing is buffered: on a busy stream that may never be.
    const unsettled = book.takeFailure();
    if (unsettled !== undefined) throw unsettled;
    for (let message = intake.take(); message !== undefined; message = intake.take()) {
      if (reader === "runner") {
        this.#options.limiter?.take();
        return message;
      }
      const admitted = this.admit(message);
      if (admitted !== undefined) return admitted;
    }
    const failure = intake.takeFailure();
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** Nothing follows, and nothing that was handed over may come again. */
  #hasEnded(): boolean {
    const { intake, book } = this.#session;
    return intake.ended && intake.length === 0 && book.open === 0;
  }

  #shift(): Waiter<T> | undefined {
    const waiter = this.#waiters.shift();
    if (waiter?.onAbort !== undefined) waiter.signal?.removeEventListener("abort", waiter.onAbort);
    return waiter;
  }

  #pace(delayMs: number): void {
    if (this.#paceTimer !== undefined) return;
    this.#paceTimer = this.#options.clock.setTimer(() => {
      this.#paceTimer = undefined;
      this.feed();
    }, delayMs);
  }
}

export function closedError(): StreamError {
  return new StreamError("closed", "this consumer was closed: create another");
}

function endedError(): StreamError {
  return new StreamError("stream-ended", "all that was there when this consumer was created has been read");
}
