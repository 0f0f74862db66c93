/** What a program sends with. It packs, addresses and hands over to the outbox; batching and retries happen there. */
import type { DriverProducer } from "../driver/driver-producer.ts";
import { bothFailed } from "../error/both-failed.ts";
import { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import { sendChannel } from "../observe/channels.ts";
import type { Clock } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import { type BulkOptions, type BulkTarget, type PipeResult, pipeInto, sendEach, writableInto } from "./bulk.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import type { Packer } from "./packer.ts";
import { PendingSend, type SendSink, type SendTicket } from "./pending-send.ts";
import type { OutgoingEntry, ProducerMiddleware, SendOptions } from "./producer-options.ts";
import type { Receipt } from "./receipt.ts";
import { RouteTable } from "./route-table.ts";
import { sendAround } from "./send-around.ts";
import { promiseSink, TallySink } from "./send-sinks.ts";
import type { StreamRoute } from "./stream-route.ts";

/** What a streamer gives a producer to work with. */
export interface ProducerParts<T> {
  readonly backend: string;
  readonly driver: DriverProducer;
  readonly outbox: OutboxOptions;
  readonly packer: Packer<T>;
  readonly middleware: readonly ProducerMiddleware<T>[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  /** For closing. */
  readonly timeoutMs: number;
  /** Finds or makes a stream; rejects wrapped. */
  openRoute(streamKey: string): Promise<StreamRoute>;
  onClosed(): void;
}

type Resolve = ((receipt: Receipt) => void) | undefined;
type Reject = ((error: Error) => void) | undefined;

/**
 * Sends messages to one stream (its anchor) or, with {@link sendTo}, to any. Order is kept per stream and shard.
 *
 * What is sent in one turn of the event loop, or while earlier batches are in flight, travels together. All methods may run concurrently.
 */
export class Producer<T = string | Uint8Array> implements AsyncDisposable {
  readonly #parts: ProducerParts<T>;
  readonly #packer: Packer<T>;
  readonly #outbox: Outbox;
  readonly #routes: RouteTable;
  readonly #tally = new TallySink();
  readonly #bulk: BulkTarget<T>;
  readonly #hasMiddleware: boolean;
  #anchor: StreamRoute | undefined;
  #anchoring = false;
  #closing: Promise<void> | undefined;
  /** The two ends of the promise that `send` is making: one executor for all, because a closure each is a tenth of its time. */
  #resolve: Resolve;
  #reject: Reject;
  readonly #keepEnds = (resolve: (receipt: Receipt) => void, reject: (error: Error) => void): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };

  /** @internal */
  constructor(parts: ProducerParts<T>, anchor: StreamRoute | undefined) {
    this.#parts = parts;
    this.#packer = parts.packer;
    this.#hasMiddleware = parts.middleware.length > 0;
    const outbox = new Outbox(parts.driver, parts.outbox, parts.clock, parts.random, parts.wrapper);
    this.#outbox = outbox;
    this.#routes = new RouteTable(parts.openRoute);
    this.#anchor = anchor;
    if (anchor !== undefined) this.#routes.add(anchor);
    this.#bulk = {
      clock: parts.clock,
      get needsDrain() {
        return outbox.needsDrain;
      },
      ready: (options) => this.ready(options),
      settled: () => outbox.settled(),
      submit: (entry, sink, index) => this.#submit(entry.streamKey, entry.value, entry, true, sink, index, undefined, undefined),
    };
  }

  /** The stream that `send` goes to, once there is one. */
  get streamKey(): string | undefined {
    return this.#anchor?.streamKey;
  }
  /** More than `highWaterBytes` wait. Sends are still taken; `await ready()` keeps memory small. */
  get needsDrain(): boolean {
    return this.#outbox.needsDrain;
  }
  /** Bytes that wait for their outcome, with 512 more for what each message takes beside them while it waits. */
  get bufferedBytes(): number {
    return this.#outbox.bytes;
  }

  /**
   * Sends to the anchor; resolves when the backend has persisted the message. The promise is an ordinary one: look at it, or use
   * {@link enqueue}. A buffer given as value is ours until then. Rejects with a {@link StreamError}; a value of the wrong type is a
   * `TypeError`. Retries are made here, for up to `sendTimeoutMs`.
   */
  send(value: T, options?: SendOptions): Promise<Receipt> {
    const promise = new Promise<Receipt>(this.#keepEnds);
    const reject = this.#reject;
    try {
      this.#submit(undefined, value, options, false, promiseSink, 0, this.#resolve, reject);
    } catch (error) {
      reject?.(error as Error);
    }
    return promise;
  }

  /** As {@link send}, to any stream. The stream is looked up, or made, at its first message. */
  sendTo(streamKey: string, value: T, options?: SendOptions): Promise<Receipt> {
    return new Promise((resolve, reject) => this.#submit(streamKey, value, options, false, promiseSink, 0, resolve, reject));
  }

  /**
   * Sends to the anchor and forgets: no promise is made. Failures are counted, and thrown with their first causes by the next
   * {@link flush}, {@link end} or {@link close}. A mistake of the program (`TypeError`, `closed`, `not-anchored`) is thrown at once.
   */
  enqueue(value: T, options?: SendOptions): void {
    try {
      this.#submit(undefined, value, options, false, this.#tally, 0, undefined, undefined);
    } catch (error) {
      if (!(error instanceof StreamError) || error.code === "closed" || error.code === "not-anchored") throw error;
      this.#tally.failed(undefined, error);
    }
  }

  /**
   * Sends each; one result for each, in order: a bad message fails alone. Waits by itself while {@link needsDrain}. What the iterable
   * itself throws rejects, after what was sent is settled; so does an entry that is no object.
   */
  sendMany(entries: Iterable<OutgoingEntry<T>>, options?: BulkOptions): Promise<PromiseSettledResult<Receipt>[]> {
    return sendEach(this.#bulk, entries, options);
  }

  /**
   * Sends all that an iterable gives, however much, waiting while {@link needsDrain}; resolves when all of it is settled. A failed
   * message is counted and does not stop the rest; what the iterable itself throws rejects, after what was sent is settled, and so does
   * the producer's close meanwhile (`closed`).
   */
  pipeFrom(entries: Iterable<OutgoingEntry<T>> | AsyncIterable<OutgoingEntry<T>>, options?: BulkOptions): Promise<PipeResult> {
    return pipeInto(this.#bulk, entries, options);
  }

  /** A web stream that takes entries and applies backpressure. A failed message fails the next write, or the close; closing it flushes. */
  writable(): WritableStream<OutgoingEntry<T>> {
    return writableInto(this.#bulk);
  }

  /** Names the stream that {@link send} goes to, and looks it up or makes it. Once: `already-anchored`. */
  async anchor(streamKey: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#assertOpen();
    if (this.#anchor !== undefined || this.#anchoring) {
      throw new StreamError("already-anchored", "this producer has its stream: use sendTo, or another producer", { streamKey });
    }
    this.#anchoring = true;
    const found = (): Promise<StreamRoute> => new Promise((resolve, reject) => this.#routes.whenKnown(streamKey, resolve, reject));
    try {
      this.#anchor = await withDeadline({ clock: this.#parts.clock, signal: options?.signal, what: "anchor" }, found);
    } finally {
      this.#anchoring = false;
    }
  }

  /** Resolves once there is room again, at half of `highWaterBytes`; at once while not {@link needsDrain}. */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const signal = options?.signal;
    if (signal === undefined) return this.#outbox.ready();
    return withDeadline({ clock: this.#parts.clock, signal, what: "waiting for room" }, () => this.#outbox.ready());
  }

  /**
   * Resolves when all that was sent before is settled. Rejects once with what {@link enqueue} could not send; what `send` reported is
   * not told again.
   */
  async flush(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const settled = this.#outbox.settled();
    const signal = options?.signal;
    await (signal === undefined ? settled : withDeadline({ clock: this.#parts.clock, signal, what: "flush" }, () => settled));
    const error = this.#tally.takeError();
    if (error !== undefined) throw error;
  }

  /** Flushes and closes; the same as {@link close}. */
  end(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    return this.close(options);
  }

  /** Flushes and closes: later sends are `closed`. Idempotent. An aborted close gives back at once; what is in flight goes on. */
  close(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#closing ??= this.#flushAndClose();
    const closing = this.#closing;
    const signal = options?.signal;
    if (signal === undefined) return closing;
    // Nobody may be left to hear of a failure after the caller has given up waiting.
    closing.catch(() => undefined);
    return withDeadline({ clock: this.#parts.clock, signal, what: "closing the producer" }, () => closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #flushAndClose(): Promise<void> {
    const { clock, timeoutMs, driver, wrapper } = this.#parts;
    let failure: unknown;
    try {
      await this.flush();
    } catch (error) {
      failure = error;
    }
    try {
      await withDeadline({ clock, timeoutMs, what: "closing the producer" }, (call) => driver.close(call));
    } catch (error) {
      const wrapped = wrapper.wrap(error, { what: "closing the producer" });
      failure = failure === undefined ? wrapped : bothFailed(failure, wrapped);
    }
    this.#parts.onClosed();
    if (failure !== undefined) throw failure;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StreamError("closed", "this producer was closed: create another");
  }

  /** The way of every send. Throws what is known to be wrong at once; the rest is told to the sink. */
  #submit(
    to: string | undefined,
    value: T,
    options: SendOptions | undefined,
    isEntry: boolean,
    sink: SendSink,
    index: number,
    resolve: Resolve,
    reject: Reject,
  ): void {
    if (this.#closing !== undefined) this.#assertOpen();
    const route = to === undefined ? this.#anchor : this.#routes.get(to);
    if (to === undefined && route === undefined) {
      throw new StreamError("not-anchored", "this producer has no stream: anchor(key) it, give a key to createProducer, or use sendTo");
    }
    if (this.#hasMiddleware || sendChannel.hasSubscribers) {
      if (options !== undefined) this.#packer.check(options, isEntry);
      const streamKey = to ?? (route as StreamRoute).streamKey;
      const sent = sendAround(this.#parts.backend, this.#parts.middleware, { ...options, value, streamKey }, (message) =>
        this.#sendPlain(message),
      );
      this.#follow(sent, sink, { index, resolve, reject });
    } else if (route !== undefined) {
      this.#put(route, value, options, isEntry, sink, index, resolve, reject);
    } else {
      if (options !== undefined) this.#packer.check(options, isEntry);
      const sent = this.#sendPlain({ ...options, value, streamKey: to as string });
      this.#follow(sent, sink, { index, resolve, reject });
    }
  }

  #put(
    route: StreamRoute,
    value: T,
    options: SendOptions | undefined,
    isEntry: boolean,
    sink: SendSink,
    index: number,
    resolve: Resolve,
    reject: Reject,
  ): void {
    const payload = this.#packer.payload(value, route.maxMessageBytes, route.streamKey);
    const extras = options === undefined ? this.#packer.ownExtras : this.#packer.extras(options, isEntry);
    const lane = route.lane(extras?.key, options?.shard, value);
    const outbox = this.#outbox;
    outbox.put(new PendingSend(lane, payload, extras, outbox.nowMs, outbox.mark, sink, index, resolve, reject));
  }

  /** Sends without middleware or tracing, to a stream that may have to be looked up first. */
  #sendPlain(message: OutgoingEntry<T> & { readonly streamKey: string }): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const go = (route: StreamRoute): void => {
        try {
          this.#put(route, message.value, message, true, promiseSink, 0, resolve, reject);
        } catch (error) {
          reject(error);
        }
      };
      this.#routes.whenKnown(message.streamKey, go, reject);
    });
  }

  /** Tells a sink what a promise comes to, and has flush wait for it. */
  #follow(sent: Promise<Receipt>, sink: SendSink, ticket: SendTicket): void {
    const mark = this.#outbox.mark;
    mark.add();
    sent
      .then(
        (receipt) => sink.stored(ticket, receipt),
        (error: unknown) => sink.failed(ticket, error instanceof Error ? error : new Error(String(error), { cause: error })),
      )
      .finally(() => mark.done());
  }
}
