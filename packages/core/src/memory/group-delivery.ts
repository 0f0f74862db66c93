/** One delivery of a stored message to a member of a group; its own token, and a link in the list of what is pending. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import type { HeaderEntries } from "../message/header-entries.ts";
import type { GroupMember, GroupShard } from "./group.ts";
import type { StoredMessage } from "./message.ts";

export class GroupDelivery implements IncomingMessage {
  readonly stored: StoredMessage;
  readonly streamKey: string;
  readonly shardId: number;
  readonly member: GroupMember;
  readonly deliveryCount: number;
  /** As the broker counts; core's own redeliveries raise it. */
  count: number;
  /** Monotonic. */
  leasedAtMs: number;
  /** Whose it is; undefined once it is acked, given back, or taken from its member. */
  shard: GroupShard | undefined = undefined;
  previous: GroupDelivery | undefined = undefined;
  next: GroupDelivery | undefined = undefined;

  constructor(stored: StoredMessage, streamKey: string, shardId: number, member: GroupMember, count: number, leasedAtMs: number) {
    this.stored = stored;
    this.streamKey = streamKey;
    this.shardId = shardId;
    this.member = member;
    this.deliveryCount = count;
    this.count = count;
    this.leasedAtMs = leasedAtMs;
  }

  get position(): number {
    return this.stored.position;
  }
  get token(): this {
    return this;
  }
  get id(): string {
    return this.stored.id;
  }
  get sequence(): bigint {
    return this.stored.sequence;
  }
  get timestampMs(): number {
    return this.stored.timestampMs;
  }
  get brokerTimestampMs(): number {
    return this.stored.brokerTimestampMs;
  }
  get payload(): Uint8Array {
    return this.stored.payload;
  }
  get size(): number {
    return this.stored.size;
  }
  get key(): Uint8Array | undefined {
    return this.stored.key;
  }
  get headers(): HeaderEntries | undefined {
    return this.stored.headers;
  }
  get messageId(): string | undefined {
    return this.stored.messageId;
  }
  get native(): StoredMessage {
    return this.stored;
  }
}
