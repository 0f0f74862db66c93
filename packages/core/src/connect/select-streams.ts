/** Which streams a consumer is made for: keys, or a pattern that the backend can do. */
import type { StreamSelection } from "../consume/consumer-options.ts";
import { StreamError } from "../error/stream-error.ts";
import { assertUsableStreamKey } from "../url/stream-key.ts";
import { compilePattern } from "../url/stream-pattern.ts";
import type { StreamerParts } from "./streamer.ts";

/** The streams of one consumer. */
export interface SelectedStreams {
  readonly streams: readonly string[] | { readonly pattern: string };
  /** For texts. */
  readonly text: string;
  /** The key, if it is only one. */
  readonly only: string | undefined;
  covers(streamKey: string): boolean;
}

/** Checks keys or pattern; without either, the URL's keys. Throws `stream-key-empty`, `invalid-stream-key`, `unsupported`. */
export function selectStreams(parts: StreamerParts, streams: StreamSelection | undefined): SelectedStreams {
  const { capabilities } = parts.connection;
  const backend = parts.driver.name;
  if (typeof streams === "object" && !Array.isArray(streams) && "pattern" in streams) {
    const { pattern } = streams;
    const covers = compilePattern(pattern);
    if (capabilities.patterns === "none" || (capabilities.patterns === "all" && pattern !== "**")) {
      const reason =
        capabilities.reasons?.patterns ?? (capabilities.patterns === "all" ? 'only the pattern "**"' : "list the streams instead");
      throw new StreamError("unsupported", `pattern "${pattern}" on ${backend}: ${reason}`, { phase: "setup", backend });
    }
    return { streams: { pattern }, text: `"${pattern}"`, only: undefined, covers };
  }
  const keys = typeof streams === "string" ? [streams] : ((streams as readonly string[] | undefined) ?? parts.url.streamKeys);
  if (!Array.isArray(keys)) throw new TypeError('streams are a key, a list of keys, or { pattern: "orders.*" }; options come second');
  if (keys.length === 0)
    throw new StreamError("stream-key-empty", "name at least one stream, in createConsumer or behind the URL's last slash", {
      phase: "setup",
    });
  for (const key of keys) assertUsableStreamKey(key, "consume");
  const unique = [...new Set(keys)];
  return {
    streams: unique,
    text: unique.map((key) => `"${key}"`).join(", "),
    only: unique.length === 1 ? unique[0] : undefined,
    covers: (streamKey) => unique.includes(streamKey),
  };
}
