/** The names of headers that Seaway writes or knows. */

/** A payload's media type; sent with `contentType: true`. */
export const CONTENT_TYPE_HEADER = "content-type";
/** Trace context, W3C Trace Context. */
export const TRACEPARENT_HEADER = "traceparent";
/** Trace context of vendors, W3C Trace Context. */
export const TRACESTATE_HEADER = "tracestate";

/** What every name of Seaway's own headers begins with: programs cannot send one. */
export const RESERVED_HEADER_PREFIX = "seaway-";

/** The message id, where the backend has no place of its own for it. */
export const MESSAGE_ID_HEADER = "seaway-message-id";
/** The partition key, where the backend has no place of its own for it. */
export const KEY_HEADER = "seaway-key";
/** The producer's own time, ms since the epoch, where the backend has no place of its own for it. */
export const TIMESTAMP_HEADER = "seaway-timestamp";

/** Where a relayed message comes from (`relay` with `originHeaders: true`). */
export const OriginHeader = {
  Stream: "seaway-origin-stream",
  Shard: "seaway-origin-shard",
  Sequence: "seaway-origin-sequence",
  /** Ms since the epoch. */
  Timestamp: "seaway-origin-timestamp",
} as const;

/** What a dead letter says of the message it was. */
export const DeadLetterHeader = {
  /** Why it is one, in a word. */
  Reason: "seaway-dead-letter-reason",
  /** The text of the last error: one line of at most 1 KiB. */
  Error: "seaway-dead-letter-error",
  Stream: "seaway-dead-letter-stream",
  Shard: "seaway-dead-letter-shard",
  Sequence: "seaway-dead-letter-sequence",
  /** Ms since the epoch. */
  Timestamp: "seaway-dead-letter-timestamp",
  /** How often it was delivered. */
  Deliveries: "seaway-dead-letter-deliveries",
  Group: "seaway-dead-letter-group",
  /** The id that the message had before. */
  MessageId: "seaway-dead-letter-message-id",
} as const;
