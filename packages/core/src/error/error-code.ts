/** The closed list of reasons for which Seaway fails; docs/errors.md says for each when it occurs and what to do. */

export const ERROR_CODES = [
  "connect-failed",
  "auth-failed",
  "timeout",
  "aborted",
  "closed",
  "driver-not-found",
  "invalid-url",
  "invalid-option",
  "invalid-stream-key",
  "stream-key-empty",
  "stream-key-not-found",
  "stream-not-found",
  "stream-full",
  "already-anchored",
  "not-anchored",
  "group-is-set",
  "group-not-set",
  "group-in-use",
  "not-assigned",
  "commit-not-allowed",
  "consumer-busy",
  "unsupported",
  "buffer-full",
  "message-too-large",
  "decode-failed",
  "encode-failed",
  "corrupt-data",
  "writer-locked",
  "stream-ended",
  "backend",
] as const;

/** The machine-readable reason of a {@link StreamError}: branch on this, never on the text. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Codes that stand for a passing condition: the same call may succeed later, unchanged. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["connect-failed", "timeout", "group-in-use", "buffer-full", "writer-locked"]);

/** Whether a failure with this code is worth trying again when the backend said nothing more precise. */
export function isRetryableByDefault(code: ErrorCode): boolean {
  return PASSING.has(code);
}
