/** How messages are spread over the shards of a stream. */
import { murmur2 } from "./murmur2.ts";

/** What a sharding function sees of a message. */
export interface ShardedMessage {
  readonly streamKey: string;
  /** The key's bytes; `undefined` where the message has none. */
  readonly key: Uint8Array | undefined;
  /** What was given to `send`, before its codec. */
  readonly value: unknown;
}

/**
 * How a message that names no shard gets one.
 *
 * - `"key-hash"` (the default): by murmur2 of the key's bytes, as Kafka's Java client on every backend; messages without a key take turns.
 * - `"round-robin"`: in turn, whatever the key.
 * - a function: called for each message that names no shard; it gives an integer from 0 to `shards - 1`.
 */
export type Sharder = "key-hash" | "round-robin" | ((message: ShardedMessage, shards: number) => number);

/** The shard of a key: the same on every backend and in Kafka's Java client. `shards` is at least 1. */
export function shardOfKey(key: Uint8Array, shards: number): number {
  return (murmur2(key) & 0x7fffffff) % shards;
}
