/** The names of streams: what is allowed as one, and which are taken. */
import { StreamError } from "../error/stream-error.ts";

/** Marks SeaStreamer's own messages in files and pipes: nobody produces to it or consumes from it. */
export const INTERNAL_STREAM_KEY = "SEA_STREAMER_INTERNAL";
/** SeaStreamer's spelling of the pattern `**`: all streams of a file. It can be consumed, never produced to. */
export const WILDCARD_STREAM_KEY = "SEA_STREAMER_WILDCARD";
/** On pipes, the key of a line that names none. An ordinary key everywhere else. */
export const BROADCAST_STREAM_KEY = "broadcast";
/** Every stream key that has a meaning of its own somewhere. */
export const RESERVED_STREAM_KEYS: readonly string[] = [INTERNAL_STREAM_KEY, WILDCARD_STREAM_KEY, BROADCAST_STREAM_KEY];

/** The longest stream key, in characters (all of them one byte). */
export const MAX_STREAM_KEY_LENGTH = 249;

/** What a stream key may be, in words, for error texts. */
export const STREAM_KEY_RULE =
  "a stream key is 1 to 249 of the characters A-Z a-z 0-9 . _ - and neither begins nor ends with a dot, nor has two in a row";

const STREAM_KEY = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
/** A mistaken key is shown only if it cannot be a URL or a piece of one that holds a password. */
const HARMLESS = /^[^\p{Cc}:@/?#%]{1,100}$/u;

/** Whether `text` can name a stream: `[A-Za-z0-9._-]{1,249}` without an empty dot-separated part. */
export function isStreamKey(text: unknown): text is string {
  return typeof text === "string" && text.length <= MAX_STREAM_KEY_LENGTH && STREAM_KEY.test(text);
}

/**
 * Throws unless `key` can name a stream.
 *
 * @throws {StreamError} `invalid-stream-key`, saying what is allowed
 */
export function assertStreamKey(key: unknown, phase: "setup" | "running" = "setup"): asserts key is string {
  if (isStreamKey(key)) return;
  const shown = typeof key !== "string" ? `a value of type ${typeof key} is not a stream key` : describe(key);
  throw new StreamError("invalid-stream-key", `${shown}; ${STREAM_KEY_RULE}`, { phase });
}

function describe(key: string): string {
  if (key === "") return "a stream key is empty";
  return HARMLESS.test(key) ? `"${key}" is not a stream key` : "this is not a stream key";
}

/**
 * Throws unless `key` can name a stream that a program produces to or consumes from: {@link INTERNAL_STREAM_KEY} is neither,
 * {@link WILDCARD_STREAM_KEY} can only be consumed.
 *
 * @throws {StreamError} `invalid-stream-key`
 */
export function assertUsableStreamKey(
  key: unknown,
  use: "produce" | "consume",
  phase: "setup" | "running" = "setup",
): asserts key is string {
  assertStreamKey(key, phase);
  if (key !== INTERNAL_STREAM_KEY && (use === "consume" || key !== WILDCARD_STREAM_KEY)) return;
  const why = key === WILDCARD_STREAM_KEY ? "stands for all streams and can only be consumed" : "is reserved for the formats themselves";
  throw new StreamError("invalid-stream-key", `${key} ${why}; choose another name`, { phase, streamKey: key });
}

/**
 * Splits a comma-separated list of stream keys, as it stands in a URL. The empty text is the empty list.
 *
 * @throws {StreamError} `invalid-stream-key` if one of them is not
 */
export function parseStreamKeys(list: string): readonly string[] {
  if (list === "") return [];
  const keys = list.split(",");
  for (const key of keys) assertStreamKey(key);
  return keys;
}
