/** A producer's way to one stream: its shards, each with a lane, and how one of them is chosen for a message. */
import type { StreamShape } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import { Lane } from "./lane.ts";
import { type Sharder, shardOfKey } from "./sharder.ts";

export class StreamRoute {
  readonly streamKey: string;
  readonly lanes: readonly Lane[];
  readonly maxMessageBytes: number;
  readonly #sharder: Sharder | undefined;
  #turn = 0;

  constructor(streamKey: string, shape: StreamShape, maxMessageBytes: number, sharder: Sharder | undefined) {
    this.streamKey = streamKey;
    this.lanes = Array.from({ length: shape.shards }, (_, shardId) => new Lane(streamKey, shardId));
    this.maxMessageBytes = maxMessageBytes;
    this.#sharder = sharder;
  }

  /** The lane for a message; `shard` overrides the sharder. Throws `invalid-option` for a shard that is not there. */
  lane(key: Uint8Array | undefined, shard: number | undefined, value: unknown): Lane {
    const count = this.lanes.length;
    if (shard === undefined && count === 1) return this.lanes[0] as Lane;
    const chosen = shard ?? this.#choose(key, value, count);
    const lane = this.lanes[chosen];
    if (lane !== undefined) return lane;
    const whose = shard === undefined ? "the sharder chose" : "shard is";
    throw new StreamError("invalid-option", `${whose} ${chosen}, but stream "${this.streamKey}" has shards 0 to ${count - 1}`, {
      streamKey: this.streamKey,
    });
  }

  #choose(key: Uint8Array | undefined, value: unknown, count: number): number {
    const sharder = this.#sharder;
    if (typeof sharder === "function") return sharder({ streamKey: this.streamKey, key, value }, count);
    if (key !== undefined && sharder !== "round-robin") return shardOfKey(key, count);
    const shard = this.#turn;
    this.#turn = (shard + 1) % count;
    return shard;
  }
}
