/** What a program may say when it creates a consumer and when it reads. */
import type { Decoder } from "../message/codec.ts";
import type { AutoCommit, AutoStreamReset, ConsumerMode } from "./consumer-mode.ts";

/** Each driver adds its namespace here by declaration merging, so that what does not fit a mode does not type-check. */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by drivers
// biome-ignore lint/correctness/noUnusedVariables: drivers use the mode
export interface ConsumerNamespaces<Mode extends ConsumerMode> {}

/** Which streams: one key, several, or those that match a pattern. */
export type StreamSelection = string | readonly string[] | { readonly pattern: string };

export interface ConsumerOptions<T, Mode extends ConsumerMode = ConsumerMode> extends ConsumerNamespaces<Mode> {
  /** Default: `"real-time"`. */
  readonly mode?: Mode | undefined;
  /** Required in load-balanced mode, `<host>:r` by default in resumable, an error in real-time. */
  readonly group?: string | undefined;
  /** Where to start without a position. Default: `"latest"`. */
  readonly autoStreamReset?: AutoStreamReset | undefined;
  /** When messages count as done, in modes with a group. Default: `"on-next"`. */
  readonly autoCommit?: AutoCommit | undefined;
  /** `"end"`: a bounded read that ends at what was last when the consumer was created. Default: follow for ever. */
  readonly until?: "end" | undefined;
  /** Turns bytes into values. Default: none, `value` is the bytes. */
  readonly codec?: Decoder<T> | undefined;
  /** How often what is acked is told to the broker, ms; also at 1,000 acks and on close. Default: 1000. Not in `disabled`. */
  readonly autoCommitIntervalMs?: number | undefined;
  /** With autoCommit `"delayed"`: how long after it was handed over a message is acked, ms. Default: 5000. */
  readonly autoCommitDelayMs?: number | undefined;
  /** How long a message that was handed over is kept from others while it is not settled, ms. Then it is lost to this consumer. Default: 300,000. */
  readonly keepAliveMs?: number | undefined;
  /** Nak by itself what was handed over and not settled for so long, ms. Default: never. */
  readonly ackTimeoutMs?: number | undefined;
  /** What to do with a message that cannot be read or decoded. `"throw"`: the read rejects and the next one goes on after it; in a group the message comes again. Default: `"dead-letter"` in a `run` that has one, else `"throw"`. */
  readonly onDecodeError?: "throw" | "term" | "raw" | "dead-letter" | undefined;
  /** Create a missing stream. Default: true (file: it is waited for); false makes it `stream-not-found`. */
  readonly createStream?: boolean | undefined;
  /** Shards of a stream that has to be created. Default: 1. */
  readonly shards?: number | undefined;
  /** Messages read ahead, at most; as many as about two seconds of work take. Default: 1000; load-balanced and immediate 100. Immediate with 0: one, when asked. */
  readonly maxPrefetchMessages?: number | undefined;
  /** Bytes read ahead, at most. Default: 64 MiB. */
  readonly maxPrefetchBytes?: number | undefined;
  /** A larger payload is not decoded: `message-too-large`, as `onDecodeError` says. Default: no limit. */
  readonly maxMessageBytes?: number | undefined;
  /** Hand over at most so many a second. Default: no limit. */
  readonly maxMessagesPerSecond?: number | undefined;
  /** This member's name at the broker, 1–200 characters. Default: made up. */
  readonly consumerName?: string | undefined;
  /** Gives up creating. */
  readonly signal?: AbortSignal | undefined;
  /** Time to create, ms. Default: the streamer's. */
  readonly timeoutMs?: number | undefined;
}

export interface FetchOptions {
  /** At least 1. */
  readonly maxMessages: number;
  /** How long to wait for them, ms. 0: only what is there. */
  readonly expiresMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Where to rewind to: everywhere the same, one sequence (inclusive) in the only shard, or a sequence per stream and shard. */
export type RewindTarget = "beginning" | "end" | { readonly at: bigint | Readonly<Record<string, Readonly<Record<number, bigint>>>> };

/** A call that can be given up. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** How far behind a consumer is in one shard. */
export interface ShardLag {
  readonly streamKey: string;
  readonly shardId: number;
  /** Stored and not yet handed over; `undefined` where the backend cannot tell. */
  readonly messages: number | undefined;
}
