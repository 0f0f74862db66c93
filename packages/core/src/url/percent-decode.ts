/** Percent-decoding that tells nothing of what it could not decode. */
import { StreamError } from "../error/stream-error.ts";

/**
 * Decodes `%XX` escapes as UTF-8; every other character, `+` included, stays as it is.
 *
 * @throws {StreamError} `invalid-url`, without the text, for a `%` that begins no escape and for bytes that are not UTF-8
 */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // No cause: an engine may quote what it was given.
    throw new StreamError("invalid-url", PERCENT_RULE, { phase: "setup" });
  }
}

/** What is wrong when {@link percentDecode} throws, in words. */
export const PERCENT_RULE =
  "a percent sign is followed by two hexadecimal digits, and the bytes that these spell are UTF-8; write % as %25";
