/** Chooses the shard of each message that names none. */
import type { HeaderEntries } from "../message/header-entries.ts";
import { murmur2 } from "./murmur2.ts";

/** What a sharding function sees of a message. */
export interface ShardableMessage {
  readonly streamKey: string;
  /** The key's bytes; `undefined` where the message has none. */
  readonly key: Uint8Array | undefined;
  readonly headers?: HeaderEntries | undefined;
  /** What was given to `send`, before its codec. */
  readonly value?: unknown;
}

/**
 * How messages are spread over the shards of a stream.
 *
 * - `"key-hash"` (the default): by murmur2 of the key's bytes, as Kafka's Java client on every backend; messages without a key take turns.
 * - `"round-robin"`: in turn, whatever the key.
 * - a function: called for each message that names no shard; it gives an integer from 0 to `shards - 1`, anything else is a `TypeError`.
 */
export type Sharder = "key-hash" | "round-robin" | ((message: ShardableMessage, shards: number) => number);

/** The shard of a key: the same on every backend and in Kafka's Java client. `shards` is at least 1. */
export function shardOfKey(key: Uint8Array, shards: number): number {
  return (murmur2(key) & 0x7fffffff) % shards;
}

/** A producer's own chooser: it remembers, per stream, whose turn it is. */
export class ShardPicker {
  readonly #sharder: Sharder;
  readonly #turns: Map<string, number> = new Map();

  constructor(sharder: Sharder = "key-hash") {
    this.#sharder = sharder;
  }

  /**
   * The shard for `message`, from 0 to `shards - 1`.
   *
   * @throws {TypeError} if the program's own function gives no such number; what it throws is passed on
   */
  pick(message: ShardableMessage, shards: number): number {
    const sharder = this.#sharder;
    if (typeof sharder === "function") return checked(sharder(message, shards), shards);
    if (shards === 1) return 0;
    if (message.key !== undefined && sharder === "key-hash") return shardOfKey(message.key, shards);
    const turn = (this.#turns.get(message.streamKey) ?? 0) % shards;
    this.#turns.set(message.streamKey, turn + 1);
    return turn;
  }
}

function checked(shard: unknown, shards: number): number {
  if (typeof shard === "number" && Number.isInteger(shard) && shard >= 0 && shard < shards) return shard;
  throw new TypeError(`the sharder must give an integer from 0 to ${shards - 1}, not ${typeof shard === "number" ? shard : typeof shard}`);
}
