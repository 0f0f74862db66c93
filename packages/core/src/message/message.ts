/** What a program receives: one delivery of one message. Everything that can be made late is made late. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import { StreamError } from "../error/stream-error.ts";
import type { DecodeContext } from "./codec.ts";
import { Headers } from "./headers.ts";
import { decodeUtf8 } from "./utf8.ts";

/** What a message's `ack` and its siblings call; the consumer that handed it over. */
export interface Settler {
  ack(message: Message<unknown>): boolean;
  nak(message: Message<unknown>, delayMs: number): boolean;
  term(message: Message<unknown>, reason: string | undefined): boolean;
  extend(message: Message<unknown>): boolean;
}

/** Stands for the value of a message that no codec decoded: its payload, which is looked up only when asked for. */
export const RAW: unique symbol = Symbol("raw");

/**
 * One delivery of one message.
 *
 * `payload` is a view into a larger buffer: keep it as long as you like, but `slice()` what you keep long, or the whole buffer stays.
 */
export class Message<T = Uint8Array> implements DecodeContext {
  /** The driver's object. Not for programs: what is public of it has a getter below. @internal */
  readonly incoming: IncomingMessage;
  /** Who is told what becomes of it. @internal */
  readonly settler: Settler;
  /** Why it could not be read or decoded, if so. @internal */
  fault: StreamError | undefined = undefined;
  #value: T | typeof RAW;
  readonly #count: number | undefined;

  /** @internal */
  constructor(incoming: IncomingMessage, value: T | typeof RAW, settler: Settler, count: number | undefined) {
    this.incoming = incoming;
    this.#value = value;
    this.settler = settler;
    this.#count = count;
  }

  /** The same message, delivered once more. @internal */
  again(settler: Settler, count: number): Message<T> {
    const message = new Message<T>(this.incoming, this.#value, settler, count);
    message.fault = this.fault;
    return message;
  }

  /** Sets what a codec made of it, before it is handed over. @internal */
  decodedAs(value: T): this {
    this.#value = value;
    return this;
  }

  /** The payload as the consumer's codec decoded it; without a codec, the payload. */
  get value(): T {
    return this.#value === RAW ? (this.incoming.payload as T) : this.#value;
  }

  get streamKey(): string {
    return this.incoming.streamKey;
  }
  get shardId(): number {
    return this.incoming.shardId;
  }
  /** Increases within a shard; not always by one. */
  get sequence(): bigint {
    return this.incoming.sequence;
  }
  /** When the message was made: the producer's own time if it gave one, else the broker's. */
  get timestamp(): Date {
    return new Date(this.incoming.timestampMs);
  }
  /** {@link timestamp} in ms since the epoch. */
  get timestampMs(): number {
    return this.incoming.timestampMs;
  }
  /** When the broker stored it, ms since the epoch: what `seek` goes by. */
  get brokerTimestampMs(): number {
    return this.incoming.brokerTimestampMs ?? this.incoming.timestampMs;
  }
  get payload(): Uint8Array {
    return this.incoming.payload;
  }
  /** Bytes of the payload. */
  get size(): number {
    return this.incoming.size;
  }
  /** The partition key as text; undefined without one, and where it is not UTF-8. */
  get key(): string | undefined {
    const bytes = this.incoming.key;
    return bytes === undefined ? undefined : decodeUtf8(bytes);
  }
  get keyBytes(): Uint8Array | undefined {
    return this.incoming.key;
  }
  get headers(): Headers {
    const entries = this.incoming.headers;
    return entries === undefined ? Headers.EMPTY : new Headers(entries);
  }
  get messageId(): string | undefined {
    return this.incoming.messageId;
  }
  /** 1 on the first delivery. */
  get deliveryCount(): number {
    return this.#count ?? this.incoming.deliveryCount ?? 1;
  }
  /** The backend's own position, as text. */
  get id(): string {
    return this.incoming.id;
  }
  /** What the backend's client gave. */
  get native(): unknown {
    return this.incoming.native;
  }
  /** The payload as text. Rejects bytes that are not UTF-8 with `decode-failed`. */
  text(): string {
    const text = decodeUtf8(this.incoming.payload);
    if (text === undefined)
      throw new StreamError("decode-failed", "the payload is not UTF-8: read `payload` instead", { streamKey: this.streamKey });
    return text;
  }
  /** The payload parsed as JSON; unchecked, so give the consumer `codec: json(schema)` where it matters. Throws `decode-failed`. */
  json<J = unknown>(): J {
    try {
      return JSON.parse(this.text());
    } catch (cause) {
      if (cause instanceof StreamError) throw cause;
      throw new StreamError("decode-failed", "the payload is not JSON", { cause, streamKey: this.streamKey });
    }
  }

  /** Marks the message as done. False when it was lost to this consumer. Does nothing in real-time mode. Twice is a `TypeError`. */
  ack(): boolean {
    return this.settler.ack(this);
  }
  /** Asks for the message again, after `delayMs` (default 0). */
  nak(options?: { readonly delayMs?: number | undefined }): boolean {
    return this.settler.nak(this, options?.delayMs ?? 0);
  }
  /** Gives the message up: it never comes again. */
  term(reason?: string): boolean {
    return this.settler.term(this, reason);
  }
  /** Says that work on it goes on. */
  inProgress(): boolean {
    return this.settler.extend(this);
  }
}
