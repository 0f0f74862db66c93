/** A message as the broker in memory keeps it; it is also what consumers are given, one object for all of them. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import type { OutgoingMessage } from "../driver/driver-producer.ts";
import type { HeaderEntries } from "../message/header-entries.ts";

/** What few messages have beside their payload. */
interface StoredExtras {
  readonly timestampMs: number | undefined;
  readonly key: Uint8Array | undefined;
  readonly headers: HeaderEntries | undefined;
  readonly messageId: string | undefined;
}

export class StoredMessage implements IncomingMessage {
  readonly streamKey: string;
  readonly shardId: number;
  /** The sequence, as a number: it counts what one process stored. */
  readonly position: number;
  readonly brokerTimestampMs: number;
  readonly size: number;
  readonly #slab: Uint8Array;
  readonly #offset: number;
  /** One field for all of it: a broker in memory keeps very many messages, and most have none. */
  readonly #extras: StoredExtras | undefined;

  /** The payload lies in `slab` from `offset`. */
  constructor(message: OutgoingMessage, position: number, brokerTimestampMs: number, slab: Uint8Array, offset: number) {
    this.streamKey = message.streamKey;
    this.shardId = message.shardId;
    this.position = position;
    this.brokerTimestampMs = brokerTimestampMs;
    this.size = message.payload.length;
    this.#slab = slab;
    this.#offset = offset;
    this.#extras = extrasOf(message);
  }

  get timestampMs(): number {
    return this.#extras?.timestampMs ?? this.brokerTimestampMs;
  }
  get key(): Uint8Array | undefined {
    return this.#extras?.key;
  }
  get headers(): HeaderEntries | undefined {
    return this.#extras?.headers;
  }
  get messageId(): string | undefined {
    return this.#extras?.messageId;
  }
  get payload(): Uint8Array {
    return this.#slab.subarray(this.#offset, this.#offset + this.size);
  }
  get sequence(): bigint {
    return BigInt(this.position);
  }
  get id(): string {
    return String(this.position);
  }
  get token(): this {
    return this;
  }
  get native(): this {
    return this;
  }
}

/** Copies, because the sender's buffers are its own again. */
function extrasOf({ timestampMs, key, headers, messageId }: OutgoingMessage): StoredExtras | undefined {
  if (timestampMs === undefined && key === undefined && headers === undefined && messageId === undefined) return undefined;
  return {
    timestampMs,
    key: key === undefined ? undefined : new Uint8Array(key),
    headers: headers?.map(([name, value]) => [name, typeof value === "string" ? value : new Uint8Array(value)]),
    messageId,
  };
}
