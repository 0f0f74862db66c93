/** Turns what a driver threw into the library's error, exactly once, and keeps the password out of it. */
import type { Driver } from "../driver/driver.ts";
import type { ErrorCode } from "./error-code.ts";
import { StreamError } from "./stream-error.ts";

/** What is known where an error is wrapped. */
export interface ErrorPlace {
  readonly streamKey?: string | undefined;
  readonly phase?: "setup" | "running";
  /** What was being done, for the text. */
  readonly what?: string;
  /** Used instead of `backend`, when the driver knows no better. */
  readonly fallback?: ErrorCode;
}

/** Wraps a driver's errors; one per connection, because it knows the password that must not show. */
export class ErrorWrapper {
  readonly #driver: Driver;
  readonly #secrets: readonly string[];

  /** `secrets`: texts that must not show. */
  constructor(driver: Driver, secrets: readonly string[]) {
    this.#driver = driver;
    this.#secrets = secrets.filter((secret) => secret !== "");
  }

  /** The driver's name. */
  get backend(): string {
    return this.#driver.name;
  }

  /** A {@link StreamError} stays what it is. */
  wrap(error: unknown, place: ErrorPlace = {}): StreamError {
    if (error instanceof StreamError && !this.#leaks(error)) return error;
    const known = error instanceof StreamError ? error : undefined;
    const found = known ?? this.#driver.classifyError(error);
    const code = found.code === "backend" && place.fallback !== undefined ? place.fallback : found.code;
    const advice = "advice" in found && found.advice !== undefined ? `; ${found.advice}` : "";
    const text = known === undefined ? this.#textOf(error) : known.message.slice(known.code.length + 2);
    return new StreamError(code, this.#redact(`${place.what === undefined ? "" : `${place.what}: `}${text}${advice}`), {
      retryable: found.retryable,
      cause: this.#leaks(error) ? undefined : error,
      backend: this.#driver.name,
      streamKey: place.streamKey,
      phase: place.phase ?? "running",
    });
  }

  #textOf(error: unknown): string {
    if (error instanceof AggregateError && error.message === "") return error.errors.map((one) => this.#textOf(one)).join("; ");
    if (error instanceof Error) return error.message === "" ? error.name : error.message;
    return String(error);
  }

  #shows(text: string): boolean {
    return this.#secrets.some((secret) => text.includes(secret));
  }

  #redact(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
  }

  /** Whether an error, or what it was caused by, shows the password: such a cause is not kept. */
  #leaks(error: unknown, depth = 0): boolean {
    if (this.#secrets.length === 0 || depth > 8 || error === null || error === undefined) return false;
    if (typeof error !== "object") return this.#shows(String(error));
    for (const name of Object.getOwnPropertyNames(error)) {
      const value: unknown = Reflect.get(error, name);
      if (typeof value === "string" ? this.#shows(value) : typeof value === "object" && this.#leaks(value, depth + 1)) return true;
    }
    return false;
  }
}
