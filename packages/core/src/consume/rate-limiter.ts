/** `maxMessagesPerSecond`: a bucket that fills evenly and holds a tenth of a second's messages, at least one. */
import type { Clock } from "../time/clock.ts";

export class RateLimiter {
  readonly #perMs: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAtMs: number;

  constructor(messagesPerSecond: number, clock: Clock) {
    this.#perMs = messagesPerSecond / 1000;
    this.#capacity = Math.max(1, messagesPerSecond / 10);
    this.#clock = clock;
    this.#tokens = this.#capacity;
    this.#filledAtMs = clock.monotonic();
  }

  /** 0 if a message may go now, else how long to wait, ms. */
  delayMs(): number {
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  /** Counts a message that went. */
  take(): void {
    this.#tokens -= 1;
  }
}
