/** Time that a test moves by hand: for leases, delays and time-outs that nobody wants to wait for. */
import type { Clock, Timer } from "@seaway/core";

interface Entry extends Timer {
  readonly clock: ManualClock;
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * One time for any number of clocks: `connect(url, { clock: time.clock() })`. It stands still but for {@link advance}, which runs the
 * timers that become due, in their order. A clock can be frozen, as the event loop of a process stands still that computes or is stopped.
 */
export class ManualTime {
  #nowMs = 1_700_000_000_000;
  readonly #entries = new Set<Entry>();

  /** Ms since the epoch. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** A clock that shows this time. */
  clock(): ManualClock {
    return new ManualClock(this, this.#entries);
  }

  /** Moves on by `ms`; between two moments at which something is due, everything that it set off gets its turn. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let due = this.#due(untilMs); due.length > 0; due = this.#due(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, due[0]?.dueMs ?? 0);
      for (const entry of due) {
        // One that ran before it may have cancelled it.
        if (this.#entries.delete(entry)) entry.callback();
      }
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Lets everything run that is ready to run. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < SETTLING_TURNS; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Those that are due first, all of the same moment; what is overdue counts as due now. */
  #due(untilMs: number): Entry[] {
    let atMs = Number.POSITIVE_INFINITY;
    let due: Entry[] = [];
    for (const entry of this.#entries) {
      const dueMs = Math.max(entry.dueMs, this.#nowMs);
      if (entry.clock.isFrozen || dueMs > untilMs || dueMs > atMs) continue;
      if (dueMs < atMs) due = [];
      atMs = dueMs;
      due.push(entry);
    }
    return due.sort((a, b) => a.dueMs - b.dueMs);
  }
}

/** Turns of the event loop after which what one timer or call set off has come to rest. */
const SETTLING_TURNS = 3;

/** See {@link ManualTime}. */
export class ManualClock implements Clock {
  /** Its timers do not run, although time goes on. Set back to false, those that are overdue run with the next `advance`. */
  isFrozen = false;
  readonly #time: ManualTime;
  readonly #entries: Set<Entry>;

  /** Made by {@link ManualTime.clock}. */
  constructor(time: ManualTime, entries: Set<Entry>) {
    this.#time = time;
    this.#entries = entries;
  }

  now(): number {
    return this.#time.nowMs;
  }

  monotonic(): number {
    return this.#time.nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const entry: Entry = {
      clock: this,
      dueMs: this.#time.nowMs + Math.max(0, delayMs),
      callback,
      cancel: () => void this.#entries.delete(entry),
    };
    this.#entries.add(entry);
    return entry;
  }
}
