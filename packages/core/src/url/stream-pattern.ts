/** Patterns over stream keys, for consumers of streams that are not all known by name. */
import { StreamError } from "../error/stream-error.ts";
import { INTERNAL_STREAM_KEY, isStreamKey, MAX_STREAM_KEY_LENGTH } from "./stream-key.ts";

/** Whether a stream key matches a pattern. */
export type StreamKeyMatcher = (streamKey: string) => boolean;

/**
 * Compiles a pattern: dot-separated parts, of which `*` stands for exactly one part, and `**`, as the last part only, for one or more.
 * So `orders.*` matches `orders.eu` but neither `orders` nor `orders.eu.dlq`; `orders.**` matches both of the longer ones; `**` matches
 * every stream. A star is a whole part: `ord*` is refused. The internal key of the formats is never matched.
 *
 * @throws {StreamError} `invalid-stream-key` if it is not a pattern
 */
export function compilePattern(pattern: string): StreamKeyMatcher {
  const parts = partsOf(pattern);
  if (parts.at(-1) !== "**") return (streamKey) => streamKey !== INTERNAL_STREAM_KEY && matches(parts, streamKey.split("."), parts.length);
  const fixed = parts.slice(0, -1);
  return (streamKey) => {
    if (streamKey === INTERNAL_STREAM_KEY) return false;
    const given = streamKey.split(".");
    return given.length > fixed.length && matches(fixed, given, given.length);
  };
}

function matches(parts: readonly string[], given: readonly string[], length: number): boolean {
  return given.length === length && parts.every((part, index) => part === "*" || part === given[index]);
}

function partsOf(pattern: unknown): readonly string[] {
  if (typeof pattern === "string" && pattern.length <= MAX_STREAM_KEY_LENGTH) {
    const parts = pattern.split(".");
    const last = parts.length - 1;
    if (parts.every((part, index) => part === "*" || (part === "**" && index === last) || isStreamKey(part))) return parts;
  }
  throw new StreamError(
    "invalid-stream-key",
    "this is not a pattern of stream keys; it has dot-separated parts, each a name, or * for one part, or at the end ** for the rest",
    { phase: "setup" },
  );
}
