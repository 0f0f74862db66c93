/** What a program may say when it creates a producer and when it sends. */
import type { Encoder } from "../message/codec.ts";
import type { HeaderEntries } from "../message/header-entries.ts";
import type { HeadersInput } from "../message/headers.ts";
import type { Receipt } from "./receipt.ts";
import type { Sharder } from "./sharder.ts";

/** Each driver adds its namespace here by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by drivers
export interface ProducerNamespaces {}

/** Each driver adds the namespace of its send options here by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by drivers
export interface SendNamespaces {}

/** What becomes of the order of a stream and shard when a batch fails in the middle of pipelined ones; DESIGN of retries in docs/delivery-semantics.md. */
export const Ordering = {
  /** Failed messages are sent again in order if nothing after them was stored; else they reject, retryable. The default. */
  Kept: "kept",
  /** One batch in flight: nothing can overtake. Slower. */
  Strict: "strict",
  /** Failed messages are sent again whatever was stored after them. */
  Relaxed: "relaxed",
} as const;
export type Ordering = (typeof Ordering)[keyof typeof Ordering];

/** Where the library puts headers of its own on a message; a symbol, so that no program does. */
export const OWN_HEADERS: unique symbol = Symbol("own headers");

/** Options of one message. */
export interface SendOptions extends SendNamespaces {
  /** @internal */
  readonly [OWN_HEADERS]?: HeaderEntries | undefined;
  /** Partition key; the same key lands on the same shard. Text is sent as UTF-8. */
  readonly key?: string | Uint8Array | undefined;
  readonly headers?: HeadersInput | undefined;
  /** The producer's own time, ms since the epoch. Default: the backend's. */
  readonly timestampMs?: number | undefined;
  /** Travels with the message; repeated ids are stored once where de-duplication is on. Not beginning with `seaway-`. */
  readonly messageId?: string | undefined;
  /** The shard to use, from 0; overrides the sharder. */
  readonly shard?: number | undefined;
}

/** A message with its options in one object, as `sendMany`, `pipeFrom` and `writable` take them. */
export interface OutgoingEntry<T> extends SendOptions {
  readonly value: T;
  /** Default: the anchor. */
  readonly streamKey?: string | undefined;
}

/** Sees every message before it is encoded; it may change it, and what it returns is the send's result. */
export type ProducerMiddleware<T> = (
  message: OutgoingEntry<T> & { readonly streamKey: string },
  next: (message: OutgoingEntry<T> & { readonly streamKey: string }) => Promise<Receipt>,
) => Promise<Receipt>;

export interface ProducerOptions<T> extends ProducerNamespaces {
  /** Turns values into bytes. Default: none, values are `string | Uint8Array`. */
  readonly codec?: Encoder<T> | undefined;
  /** Send the codec's `content-type` as a header. Default: false. */
  readonly contentType?: boolean | undefined;
  /** Shards of a stream that has to be created, 1–65536. Default: 1. An existing stream's own count rules; another one here is `invalid-option`. */
  readonly shards?: number | undefined;
  /** How a shard is chosen. Default: `"key-hash"` for a message with a key, else `"round-robin"`. */
  readonly sharder?: Sharder | undefined;
  /** Create a missing stream. Default: true; false makes it `stream-not-found`. */
  readonly createStream?: boolean | undefined;
  /** How long a message may take with all its retries, ms. Default: 120,000. 0: as long as it takes. */
  readonly sendTimeoutMs?: number | undefined;
  /** Above this many buffered bytes `needsDrain` is true. Default: 64 MiB. */
  readonly highWaterBytes?: number | undefined;
  /** Above this many buffered bytes a send fails with `buffer-full`. Default: 512 MiB. */
  readonly maxBufferedBytes?: number | undefined;
  /** Bound of one batch. Default: 1 MiB. A single larger message goes alone. */
  readonly maxBatchBytes?: number | undefined;
  /** Larger payloads are `message-too-large`. Default: the backend's limit, else 8 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Default: `"kept"`. */
  readonly ordering?: Ordering | undefined;
  /** Store a repeated `messageId` once. Default: on where the backend can; `true` elsewhere is `unsupported`. */
  readonly dedupe?: boolean | undefined;
  /** Run around every send, the first outermost. */
  readonly middleware?: readonly ProducerMiddleware<T>[] | undefined;
  /** Gives up creating. */
  readonly signal?: AbortSignal | undefined;
  /** Time to create, ms. Default: the streamer's. */
  readonly timeoutMs?: number | undefined;
}
