/** Hands messages from the intake to whoever asked first, at the pace that pause and rate limit allow. */
import { StreamError } from "../error/stream-error.ts";
import { Fifo } from "../message/fifo.ts";
import type { Message } from "../message/message.ts";
import { receiveChannel } from "../observe/channels.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { abortedError } from "../time/deadline.ts";
import { type Decoded, Undecodable } from "./decode-batch.ts";
import type { Intake } from "./intake.ts";
import type { RateLimiter } from "./rate-limiter.ts";

export interface HandoverOptions {
  readonly backend: string;
  readonly onDecodeError: "throw" | "term" | "raw";
  readonly limiter: RateLimiter | undefined;
  readonly clock: Clock;
  publish(event: StreamerEvent): void;
}

interface Waiter<T> {
  readonly resolve: (message: Message<T>) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

export class Handover<T> {
  readonly #intake: Intake<T>;
  readonly #options: HandoverOptions;
  readonly #waiters: Fifo<Waiter<T>> = new Fifo();
  #held = 0;
  #closed = false;
  #paceTimer: Timer | undefined;

  constructor(intake: Intake<T>, options: HandoverOptions) {
    this.#intake = intake;
    this.#options = options;
  }

  /** Whether a reader waits. */
  get awaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Keeps messages back until {@link release}; nests. */
  hold(): void {
    this.#held += 1;
  }

  release(): void {
    this.#held -= 1;
    if (this.#held > 0) return;
    if (this.#waiters.length > 0) this.#intake.start();
    this.feed();
  }

  /** The next message, if it is there and may go now; throws what reading failed with. */
  tryNext(): Message<T> | undefined {
    if (this.#held > 0 || this.#waiters.length > 0 || this.#closed) return undefined;
    const limiter = this.#options.limiter;
    if (limiter !== undefined && limiter.delayMs() > 0) return undefined;
    return this.#takeOne();
  }

  /** The next message; rejects `stream-ended`, `closed`, `aborted`, or what reading failed with. */
  next(signal: AbortSignal | undefined): Promise<Message<T>> {
    if (this.#closed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(abortedError("next", signal));
    return new Promise((resolve, reject) => {
      const onAbort =
        signal === undefined
          ? undefined
          : () => {
              if (this.#waiters.remove(waiter)) reject(abortedError("next", signal));
            };
      const waiter: Waiter<T> = { resolve, reject, signal, onAbort };
      if (onAbort !== undefined) signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
      if (this.#held === 0) this.#intake.start();
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
        const message = this.#takeOne();
        if (message !== undefined) this.#shift()?.resolve(message);
        else if (this.#intake.ended && this.#intake.length === 0) this.#shift()?.reject(endedError());
        else return;
      } catch (error) {
        this.#shift()?.reject(error);
        if (this.#waiters.length > 0) this.#intake.start();
      }
    }
  };

  /** No message is handed over from now on; whoever waits gets `closed`. */
  close(): void {
    this.#closed = true;
    this.#paceTimer?.cancel();
    for (let waiter = this.#shift(); waiter !== undefined; waiter = this.#shift()) waiter.reject(closedError());
  }

  /** What one taken item comes to under `onDecodeError`; undefined: it is dropped. */
  admit(item: Decoded<T>): Message<T> | undefined {
    if (!(item instanceof Undecodable)) return item;
    const { onDecodeError, publish } = this.#options;
    if (onDecodeError === "throw") throw item.error;
    // The program asked for what could not be decoded as it is: bytes.
    if (onDecodeError === "raw") return item.message as Message<T>;
    const { streamKey, shardId } = item.message;
    publish({
      code: "message-dropped",
      level: "warn",
      message: `dropped, as onDecodeError says: ${item.error.message}`,
      streamKey,
      shardId,
      error: item.error,
    });
    return undefined;
  }

  /** Says that a message was handed over. */
  handedOver(message: Message<T>): Message<T> {
    this.#options.limiter?.take();
    if (receiveChannel.hasSubscribers) receiveChannel.publish({ backend: this.#options.backend, message });
    return message;
  }

  #takeOne(): Message<T> | undefined {
    for (let item = this.#intake.take(); item !== undefined; item = this.#intake.take()) {
      const message = this.admit(item);
      if (message !== undefined) return this.handedOver(message);
    }
    const failure = this.#intake.takeFailure();
    if (failure !== undefined) throw failure;
    return undefined;
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

export function endedError(): StreamError {
  return new StreamError("stream-ended", "all that was there when this consumer was created has been read");
}
