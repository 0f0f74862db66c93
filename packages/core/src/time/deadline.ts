/** Bounds one asynchronous call by the caller's signal and a deadline, and lets nothing leak that arrives too late. */
import type { CallOptions } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import type { Clock } from "./clock.ts";

export interface Deadline {
  readonly clock: Clock;
  /** 0 or undefined: no deadline, only the signal. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is being done, for the error's text: "connecting to redis://h". */
  readonly what: string;
}

/** The error of a call that its caller gave up. */
export function abortedError(what: string, signal: AbortSignal): StreamError {
  return new StreamError("aborted", `${what} was given up by the caller`, { cause: signal.reason });
}

/**
 * Runs `work` with a signal that aborts at the deadline or with the caller's; then rejects `timeout` or `aborted` at once, whether or
 * not `work` listens. A result that comes after that goes to `discard`.
 */
export function withDeadline<T>(deadline: Deadline, work: (call: CallOptions) => Promise<T>, discard?: (late: T) => void): Promise<T> {
  const { clock, timeoutMs, signal, what } = deadline;
  if (signal?.aborted) return Promise.reject(abortedError(what, signal));
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    let over = false;
    const end = (): boolean => {
      if (over) return false;
      over = true;
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
      return true;
    };
    const giveUp = (error: StreamError): void => {
      if (!end()) return;
      controller.abort(error);
      reject(error);
    };
    const onAbort = (): void => {
      if (signal) giveUp(abortedError(what, signal));
    };
    const timer =
      timeoutMs === undefined || timeoutMs === 0
        ? undefined
        : clock.setTimer(
            () => giveUp(new StreamError("timeout", `${what} took longer than ${timeoutMs} ms; raise timeoutMs if that is expected`)),
            timeoutMs,
          );
    signal?.addEventListener("abort", onAbort, { once: true });
    work({ signal: controller.signal }).then(
      (value) => {
        if (end()) resolve(value);
        else discard?.(value);
      },
      (error: unknown) => {
        if (end()) reject(error);
      },
    );
  });
}
