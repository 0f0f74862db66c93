/** Turns what a driver threw into the library's error, exactly once, and keeps credentials out of it. */
import type { Driver, FailureClass } from "../driver/driver.ts";
import type { ErrorCode } from "./error-code.ts";
import type { Secrets } from "./secrets.ts";
import { isStreamError, StreamError } from "./stream-error.ts";

/** What is known where an error is wrapped. */
export interface ErrorPlace {
  readonly streamKey?: string | undefined;
  readonly phase?: "setup" | "running";
  /** What was being done, for the text. */
  readonly what?: string;
  /** Used instead of `backend`, when the driver knows no better. */
  readonly fallback?: ErrorCode;
}

/** Wraps a driver's errors; one per connection, because it knows what must not show. */
export class ErrorWrapper {
  readonly #driver: Driver;
  readonly #secrets: Secrets;

  constructor(driver: Driver, secrets: Secrets) {
    this.#driver = driver;
    this.#secrets = secrets;
  }

  /** The driver's name. */
  get backend(): string {
    return this.#driver.name;
  }

  /** A {@link StreamError} stays what it is, also one of another copy of this package. */
  wrap(error: unknown, place: ErrorPlace = {}): StreamError {
    const cause = this.#secrets.clean(error);
    if (isStreamError(error)) return cause === error ? error : this.#cleaned(error, cause);
    const { code, retryable, advice } = this.#classify(error);
    const what = place.what === undefined ? "" : `${place.what}: `;
    const text = `${what}${textOf(error)}${advice === undefined ? "" : `; ${advice}`}`;
    return new StreamError(code === "backend" ? (place.fallback ?? code) : code, this.#secrets.redact(text), {
      retryable,
      cause,
      backend: this.#driver.name,
      streamKey: place.streamKey,
      phase: place.phase ?? "running",
    });
  }

  #cleaned(error: StreamError, cause: unknown): StreamError {
    const { code, message, retryable, backend, streamKey, phase } = error;
    return new StreamError(code, this.#secrets.redact(message.slice(code.length + 2)), { retryable, cause, backend, streamKey, phase });
  }

  /** A driver promises never to throw here; if it does, its sends and reads must not hang for it. */
  #classify(error: unknown): FailureClass {
    try {
      return this.#driver.classifyError(error);
    } catch {
      return { code: "backend", retryable: false };
    }
  }
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(textOf).join("; ");
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  if (typeof error !== "object" || error === null) return String(error);
  const message: unknown = Reflect.get(error, "message");
  return typeof message === "string" ? message : "an object that is no error was thrown";
}
