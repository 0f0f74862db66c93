/** A clock that stands still until the test moves it. */
import type { Clock, Timer } from "../src/time/clock.ts";

interface Alarm {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  readonly #epochMs: number;
  readonly #alarms = new Set<Alarm>();
  #elapsedMs = 0;
  #count = 0;

  constructor(epochMs = Date.UTC(2024, 0, 1)) {
    this.#epochMs = epochMs;
  }

  /** Timers that were set and neither fired nor cancelled. */
  get pending(): number {
    return this.#alarms.size;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  /** It begins far from 0, so that nothing takes a duration for a time. */
  monotonic(): number {
    return 1_000_000 + this.#elapsedMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const alarm = { dueMs: this.#elapsedMs + Math.max(delayMs, 0), order: this.#count, callback };
    this.#count += 1;
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** Lets time pass in which nothing is called, as when the event loop stands still. */
  stall(durationMs: number): void {
    this.#elapsedMs += durationMs;
  }

  /** Lets time pass: what falls due on the way is called in order, and what it sets off is given its turns before the next. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#elapsedMs + durationMs;
    await turns();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#alarms.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.callback();
      await turns();
    }
    this.#elapsedMs = endMs;
    await turns();
  }

  #next(endMs: number): Alarm | undefined {
    const due = [...this.#alarms].filter((alarm) => alarm.dueMs <= endMs);
    return due.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
  }
}

/** Lets the event loop turn, so that everything that needs no time gets done. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
