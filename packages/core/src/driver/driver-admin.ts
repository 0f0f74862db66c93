/** What a driver does for `streamer.admin`. `createStream` is core's: it is `ensureStream`. */
import type { CallOptions } from "./driver.ts";
import type { Position } from "./shard.ts";

/** A stream as its backend tells of it; what a backend cannot tell is left out. */
export interface StreamInfo {
  readonly shards: readonly {
    readonly shardId: number;
    /** Messages stored now. */
    readonly length?: number;
    readonly first?: bigint;
    readonly last?: bigint;
    /** Broker time of the first and last message, ms since the epoch. */
    readonly firstMs?: number;
    readonly lastMs?: number;
    readonly bytes?: number;
  }[];
}

/** A group on one stream. */
export interface GroupInfo {
  readonly members: readonly { readonly name: string; readonly pending?: number; readonly idleMs?: number }[];
  readonly shards: readonly {
    readonly shardId: number;
    /** The sequence up to which everything is acked. */
    readonly committed?: bigint;
    /** Delivered and not settled. */
    readonly pending?: number;
    /** Stored and not yet delivered to the group. */
    readonly lag?: number;
  }[];
  /** Since a member last did anything. */
  readonly idleMs?: number;
}

/** Every call rejects raw; core classifies through {@link Driver.classifyError}. A call not claimed in the capabilities is never made. */
export interface DriverAdmin {
  deleteStream(streamKey: string, call: CallOptions): Promise<void>;
  listStreams(call: CallOptions): Promise<readonly string[]>;
  /** A missing stream is `stream-not-found`. */
  streamInfo(streamKey: string, call: CallOptions): Promise<StreamInfo>;
  /** Removes what lies before `to`, in every shard. */
  trim(streamKey: string, to: Position, call: CallOptions): Promise<void>;
  listGroups(streamKey: string, call: CallOptions): Promise<readonly string[]>;
  groupInfo(streamKey: string, group: string, call: CallOptions): Promise<GroupInfo>;
  /** `create` leaves an existing group as it is; `reset` moves it, and with live members is `group-in-use`. */
  setGroup(streamKey: string, group: string, to: Position, mode: "create" | "reset", call: CallOptions): Promise<void>;
  deleteGroup(streamKey: string, group: string, call: CallOptions): Promise<void>;
}
