/** Where in a stream: the words in which core and drivers talk about shards and positions. */

/** One shard of one stream. */
export interface Shard {
  readonly streamKey: string;
  /** From 0; the only shard of an unsharded stream is 0. */
  readonly shardId: number;
}

/** A place in a shard. `at` is inclusive; `afterMs` means the first message whose broker time is strictly later, ms since the epoch. */
export type Position = "beginning" | "end" | { readonly at: bigint } | { readonly afterMs: number };

/** A position per shard. */
export interface ShardPosition extends Shard {
  readonly position: Position;
}

/** From where a consumer reads a shard: its group's position, `autoStreamReset`, or where it was sent by seek or rewind. */
export interface ShardStart extends Shard {
  readonly origin: "committed" | "earliest" | "latest" | "sought";
}
