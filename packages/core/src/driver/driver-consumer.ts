/** The receiving half of a driver: it reads, settles and seeks; buffers, acks and redelivery are core's. */
import type { ConsumerMode } from "../consume/consumer-mode.ts";
import type { HeaderEntries } from "../message/header-entries.ts";
import type { CallOptions } from "./driver.ts";
import type { Shard, ShardPosition, ShardStart } from "./shard.ts";

export interface ConsumerRequest {
  /** In `"resumable"` the reader is the group's only one, else `openConsumer` rejects `group-in-use`. */
  readonly mode: ConsumerMode;
  readonly streams: readonly string[] | { readonly pattern: string };
  /** Set in the modes that have one. */
  readonly group?: string | undefined;
  readonly consumerName: string;
  /** Where to start: what holds if the group has no position, or (ungrouped) the shards and positions to read, and no others. */
  readonly from: "earliest" | "latest" | readonly ShardPosition[];
  /** Ends are fixed when `openConsumer` returns, as starts are. */
  readonly until?: "end" | undefined;
  readonly createStream: boolean;
  /** Shards of a stream that has to be created; 1 also pins an unsharded stream. */
  readonly shards?: number | undefined;
  /** `"none"`: the broker does not track deliveries (autoCommit immediate). */
  readonly settlement: "explicit" | "none";
  /** The bound of a backend that pushes. */
  readonly maxUnsettled: number;
  readonly maxUnsettledBytes: number;
  /** The driver's namespace, checked against its option table. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether core still holds this delivery: to be left out when what is ours is read again. */
  holds(shard: Shard, id: string): boolean;
  /** Shards that were found later or given by a rebalance. Each starts anew: core forgets what it had of it. */
  onAssigned(shards: readonly ShardStart[]): void;
  /**
   * Shards that may be about to go (on Kafka all, at each rebalance). Core hands nothing of them over and settles what is done; it waits
   * for no handler, and the driver waits for it within `call`'s time. What it holds stays: for each of them {@link onLost} or
   * {@link onKept} follows.
   */
  onRevoking(shards: readonly Shard[], call: CallOptions): Promise<void>;
  /** Of those announced by {@link onRevoking}: still ours, as they were. */
  onKept(shards: readonly Shard[]): void;
  /** Gone already: core settles nothing of it. */
  onLost(lost: { readonly shards: readonly Shard[] } | { readonly tokens: readonly unknown[] }): void;
}

/** One delivery. Core reads it, never changes it; a driver may use one object for several consumers. */
export interface IncomingMessage extends Shard {
  /** The driver's own handle of this delivery, given back in {@link Settlement}. */
  readonly token: unknown;
  /** The backend's own position, as text. */
  readonly id: string;
  readonly sequence: bigint;
  /** The producer's time if it gave one, else the broker's; ms since the epoch. */
  readonly timestampMs: number;
  /** What seek goes by; left out where it is the same. */
  readonly brokerTimestampMs?: number | undefined;
  /** A view; core and programs may keep it. May be made when it is first asked for. */
  readonly payload: Uint8Array;
  /** Bytes of the payload. */
  readonly size: number;
  readonly key?: Uint8Array | undefined;
  readonly headers?: HeaderEntries | undefined;
  readonly messageId?: string | undefined;
  /** 1 on the first delivery. Left out where the broker does not count: core does. */
  readonly deliveryCount?: number | undefined;
  /** Why this entry could not be read; `payload` then is its raw bytes. */
  readonly malformed?: unknown;
  readonly native: unknown;
}

export interface Received {
  readonly messages: readonly IncomingMessage[];
  /** Of the last seek, as it gave it; 0 before the first. Core drops what comes with an older one. */
  readonly epoch: number;
  /** When the leases of these messages began: monotonic, no later than the broker's own start, which may be long before they arrived. */
  readonly leasedAtMs?: number | undefined;
  /** `until` was reached, or the input has ended: nothing follows. */
  readonly ended?: boolean | undefined;
}

export interface ReceiveLimit {
  readonly maxMessages: number;
  /** A message larger than this is given all the same, alone. */
  readonly maxBytes: number;
  /** How long to wait for the first message; the answer is empty when none came. */
  readonly maxWaitMs: number;
  /** Shards from which nothing is wanted now. */
  readonly paused: readonly Shard[];
  /** Aborted: resolves at once, with what it holds. */
  readonly signal: AbortSignal;
}

export type Settlement =
  | { readonly kind: "ack" | "ack-through" | "extend"; readonly token: unknown }
  | { readonly kind: "nak"; readonly token: unknown; readonly delayMs: number }
  | { readonly kind: "recount"; readonly token: unknown; readonly deliveryCount: number }
  | { readonly kind: "term"; readonly token: unknown; readonly reason?: string | undefined }
  | { readonly kind: "release"; readonly token: unknown; readonly unread: boolean };

/** `"lost"`: it was no longer ours, nothing was changed. */
export type SettleOutcome = "done" | "lost" | { readonly error: unknown };

export interface DriverConsumer {
  /** Fixed when `openConsumer` returned: what is owned, or was given a position, by then. What a join brings later comes by `onAssigned`. */
  readonly start: readonly ShardStart[];
  /** `"through"`: core settles by the highest position with nothing open below it, per shard. */
  readonly acks: "each" | "through" | "none";
  /** `"push"`: the backend sends by itself; there is no fetch and no asking for one. */
  readonly flow: "pull" | "push";
  /** How long a delivery stays ours without a word, as the broker has it; left out where ownership is by shard. */
  readonly leaseMs?: number | undefined;
  /**
   * The next messages, per shard in order. Called by one caller at a time; `settle`, `seek` and `close` may come meanwhile
   * and do not wait for it. It may hold what it read beyond `maxMessages`, or what came after an abort; that is the driver's to keep
   * alive, or to give back, until it is given to core.
   * After a rejection it is called again: with backoff if `classifyError` says retryable, else when the program reads again.
   */
  receive(limit: ReceiveLimit): Promise<Received>;
  /**
   * One outcome per settlement, at the same index; an error means that the outcome is unknown, it may still happen. With `acks: "through"` core sends `ack-through` only. None at all, with `confirm`, asks
   * for what was written before. With `confirm` it resolves only when the broker has them, without when they
   * are written. Touches only what is still ours.
   */
  settle(settlements: readonly Settlement[], call: CallOptions & { readonly confirm: boolean }): Promise<readonly SettleOutcome[]>;
  /** Ungrouped only; the targets become the assignment. What is received from now on carries the epoch. */
  seek(targets: readonly ShardPosition[], call: CallOptions): Promise<{ readonly epoch: number }>;
  /** Stored beyond what `receive` has given so far; `undefined` where the backend cannot tell. */
  lag(call: CallOptions): Promise<readonly (Shard & { readonly messages: number | undefined })[]>;
  /**
   * No delivery begins after this: withdraws what was asked for, ends a waiting `receive`, gives back unread what it holds itself and what
   * still came. Then core settles and releases, then comes `close`. What core holds stays valid, `settle` goes on working.
   */
  stop(call: CallOptions): Promise<void>;
  /** Core has settled and released before. Ends a waiting `receive` with nothing. */
  close(call: CallOptions): Promise<void>;
  /** Only where the broker is in this process: this consumer is as one whose process died. For tests. */
  abandon?(): void;
}
