/** The one error class of the library: everything that is not a programmer's mistake (`TypeError`) rejects with it. */
import { type ErrorCode, isRetryableByDefault } from "./error-code.ts";

/** What a {@link StreamError} carries beside its code and text. */
export interface StreamErrorDetails {
  /** Whether the same call may succeed later, unchanged. Default: by the code. */
  readonly retryable?: boolean | undefined;
  /** The error underneath, as the backend's client gave it. */
  readonly cause?: unknown;
  /** The driver's name, such as `"redis"`. */
  readonly backend?: string | undefined;
  /** The stream this is about, if it is about one. */
  readonly streamKey?: string | undefined;
  /** `"setup"` while something is being created, `"running"` afterwards (the default). */
  readonly phase?: "setup" | "running" | undefined;
}

/**
 * A failure of a stream, a backend, or of what was asked of them.
 *
 * `code` is from a closed list and stands first in the text; the text says what to do about it.
 * docs/errors.md lists every code.
 */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly backend: string | undefined;
  readonly streamKey: string | undefined;
  readonly phase: "setup" | "running";

  constructor(code: ErrorCode, text: string, details: StreamErrorDetails = {}) {
    super(`${code}: ${text}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? isRetryableByDefault(code);
    this.backend = details.backend;
    this.streamKey = details.streamKey;
    this.phase = details.phase ?? "running";
  }
}

/** Whether `error` is a {@link StreamError}, of this code if one is given; true across copies of the package. */
export function isStreamError(error: unknown, code?: ErrorCode): error is StreamError {
  return error instanceof Error && error.name === "StreamError" && "code" in error && (code === undefined || error.code === code);
}
