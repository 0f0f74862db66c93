/** Time as an argument: everything that waits or measures takes a `Clock`, so that tests own it. */

/** A pending call of {@link Clock.setTimer}. */
export interface Timer {
  /** The call will not happen; harmless when it already has. */
  cancel(): void;
}

/** Where the library's time comes from. */
export interface Clock {
  /** Milliseconds since the Unix epoch, as the machine believes. */
  now(): number;
  /** Milliseconds that never jump; for durations and leases only. */
  monotonic(): number;
  /** Calls `callback` once, after `delayMs`. A timer that is not `background` keeps the process alive. */
  setTimer(callback: () => void, delayMs: number, options?: { readonly background?: boolean }): Timer;
}

/** The longest delay that the runtime's timers take; beyond it they fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;
  constructor(callback: () => void, delayMs: number, background: boolean) {
    this.#handle = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    if (background) this.#handle.unref();
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (callback, delayMs, options) => new SystemTimer(callback, delayMs, options?.background ?? false),
};
