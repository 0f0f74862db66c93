/** Waiting for something new in memory: one waiter, woken by whoever has news. */
import type { ReceiveLimit } from "../driver/driver-consumer.ts";
import type { Clock } from "../time/clock.ts";

export class News {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly tell = (): void => this.#wake?.();

  /** Whether the time passed, or it was given up; false: there is news. */
  wait(limit: Pick<ReceiveLimit, "maxWaitMs" | "signal">): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (timedOut: boolean): void => {
        this.#wake = undefined;
        timer.cancel();
        limit.signal.removeEventListener("abort", onAbort);
        resolve(timedOut);
      };
      const onAbort = (): void => end(true);
      const timer = this.#clock.setTimer(() => end(true), limit.maxWaitMs);
      limit.signal.addEventListener("abort", onAbort, { once: true });
      this.#wake = () => end(false);
    });
  }
}
