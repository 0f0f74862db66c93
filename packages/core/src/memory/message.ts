/** A message as the broker in memory keeps it; it is also what consumers are given, one object for all of them. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import type { OutgoingMessage } from "../driver/driver-producer.ts";
import type { HeaderEntries } from "../message/header-entries.ts";

export class StoredMessage implements IncomingMessage {
  readonly streamKey: string;
  readonly shardId: number;
  /** The sequence, as a number: it counts what one process stored. */
  readonly position: number;
  readonly timestampMs: number;
  readonly brokerTimestampMs: number;
  readonly size: number;
  readonly key: Uint8Array | undefined;
  readonly headers: HeaderEntries | undefined;
  readonly messageId: string | undefined;
  readonly #slab: Uint8Array;
  readonly #offset: number;
  #payload: Uint8Array | undefined;

  /** The payload lies in `slab` from `offset`. */
  constructor(message: OutgoingMessage, position: number, brokerTimestampMs: number, slab: Uint8Array, offset: number) {
    this.streamKey = message.streamKey;
    this.shardId = message.shardId;
    this.position = position;
    this.brokerTimestampMs = brokerTimestampMs;
    this.timestampMs = message.timestampMs ?? brokerTimestampMs;
    this.size = message.payload.length;
    this.key = message.key === undefined ? undefined : new Uint8Array(message.key);
    this.headers = message.headers?.map(([name, value]) => [name, typeof value === "string" ? value : new Uint8Array(value)]);
    this.messageId = message.messageId;
    this.#slab = slab;
    this.#offset = offset;
  }

  get payload(): Uint8Array {
    this.#payload ??= this.#slab.subarray(this.#offset, this.#offset + this.size);
    return this.#payload;
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
