/** What a program may say when it runs a handler over a consumer's messages. */
import type { Message } from "../message/message.ts";
import type { Producer } from "../produce/producer.ts";
import type { Backoff } from "../time/backoff.ts";

/** What a handler gets beside its message. */
export interface HandlerContext {
  /**
   * Aborted when going on is of no use: the message is no longer this consumer's, its `handlerTimeoutMs` is over, or the run's drain
   * deadline has passed.
   */
  readonly signal: AbortSignal;
}

/** Works on one message. Returning acks it, throwing has it come again. */
export type Handler<T> = (message: Message<T>, context: HandlerContext) => unknown;

/** Works on several messages. Returning acks those that it has not settled itself, throwing has those come again. */
export type BatchHandler<T> = (messages: readonly Message<T>[], context: HandlerContext) => unknown;

/** Runs around every handler call, the first outermost. Throwing counts as the handler's failure. */
export type RunMiddleware<T> = (message: Message<T>, next: () => Promise<void>) => Promise<void>;

/** Where messages go that could not be handled. `true`: `<stream>.dlq`. A key: that stream. Also to another streamer's, or nowhere. */
export type DeadLetter = true | string | { readonly producer: Producer; readonly stream: string } | { readonly discard: true };

export interface RetryOptions {
  /** Deliveries after which a message is dead-lettered. Default: it is retried for ever. Needs a `deadLetter`. */
  readonly maxDeliveries?: number | undefined;
  /** The delay before the next delivery: doubling from `firstMs` to `maxMs` with jitter, or by a function of how often it failed (from 1). Default: 1 s to 60 s. */
  readonly backoff?: Backoff | ((deliveries: number) => number) | undefined;
}

export interface RunOptions<T> {
  /** Handlers at once. Default: 1. */
  readonly concurrency?: number | undefined;
  /**
   * Keep the order of messages with the same key, or of the same shard, within this consumer, while others run in parallel. A failing
   * message holds back its own key. Messages without a key have no order. Default: `"none"`.
   */
  readonly orderBy?: "none" | "key" | "shard" | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Default: none, nothing is given up. */
  readonly deadLetter?: DeadLetter | undefined;
  /** After so long a handler counts as failed, ms. Its late return is ignored. Default: `keepAliveMs`. 0: never. */
  readonly handlerTimeoutMs?: number | undefined;
  /** Told of every failure; what it throws is an uncaught exception. */
  readonly onError?: ((error: unknown, message: Message<T>) => void) | undefined;
  /** Hand over arrays: as soon as there are `maxMessages`, or `maxWaitMs` after the first. Default: one by one. */
  readonly batch?: { readonly maxMessages: number; readonly maxWaitMs: number } | undefined;
  readonly middleware?: readonly RunMiddleware<T>[] | undefined;
  /** Drains: nothing more is read, running handlers finish, the rest is given back, then `run` resolves. */
  readonly signal?: AbortSignal | undefined;
  /** How long handlers may take to finish once the run is to end; then their signals abort. Default: 30,000. */
  readonly drainTimeoutMs?: number | undefined;
}

/** Thrown by a handler: this message will never succeed. It is dead-lettered at once (retried where there is no dead letter). */
export class NonRetryableError extends Error {
  override readonly name: string = "NonRetryableError";
}
