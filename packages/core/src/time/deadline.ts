/** Bounds one asynchronous call by the caller's signal and a deadline, and lets nothing leak that arrives too late. */
import type { CallOptions } from "../driver/driver.ts";
import { StreamError, type StreamErrorDetails } from "../error/stream-error.ts";
import type { Clock } from "./clock.ts";

export interface Deadline {
  readonly clock: Clock;
  /** 0 or undefined: no deadline, only the signal. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is being done, for the error's text: "connecting to redis://h". */
  readonly what: string;
  /** What the error says beside that. */
  readonly details?: Pick<StreamErrorDetails, "backend" | "phase" | "streamKey"> | undefined;
}

/** The error of a call that its caller gave up. */
export function abortedError(what: string, signal: AbortSignal, details?: Deadline["details"]): StreamError {
  return new StreamError("aborted", `${what} was given up by the caller`, { ...details, cause: signal.reason });
}

/**
 * Runs `work` with a signal that aborts at the deadline or with the caller's; then rejects `timeout` or `aborted` at once, whether or
 * not `work` listens. A result that comes after that goes to `discard`.
 */
export function withDeadline<T>(deadline: Deadline, work: (call: CallOptions) => Promise<T>, discard?: (late: T) => void): Promise<T> {
  const { clock, timeoutMs, signal, what, details } = deadline;
  if (signal?.aborted) return Promise.reject(abortedError(what, signal, details));
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
      if (signal) giveUp(abortedError(what, signal, details));
    };
    const timer =
      timeoutMs === undefined || timeoutMs === 0
        ? undefined
        : clock.setTimer(
            () =>
              giveUp(new StreamError("timeout", `${what} took longer than ${timeoutMs} ms; raise timeoutMs if that is expected`, details)),
            timeoutMs,
          );
    signal?.addEventListener("abort", onAbort, { once: true });
    begin(work, controller.signal).then(
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

/** Aborts with whichever comes first; the second alone if there is no first. */
export function anySignal(given: AbortSignal | undefined, own: AbortSignal): AbortSignal {
  return given === undefined ? own : AbortSignal.any([given, own]);
}

/** What throws instead of rejecting must not leave the timer and the listener behind. */
function begin<T>(work: (call: CallOptions) => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return work({ signal });
  } catch (error) {
    return Promise.reject(error);
  }
}
