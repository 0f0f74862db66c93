/** What waits to be given again, by when it is due: a binary heap and one timer. */
import type { Clock, Timer } from "../time/clock.ts";

interface Entry<Item> {
  readonly dueMs: number;
  /** Breaks ties: first nak'ed, first given again. */
  readonly order: number;
  readonly item: Item;
}

function before(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

export class RedeliveryQueue<Item> {
  readonly #clock: Clock;
  readonly #onDue: (due: readonly Item[]) => void;
  #heap: Entry<Item>[] = [];
  #order = 0;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** `onDue` gets what is due together, the earliest first. */
  constructor(clock: Clock, onDue: (due: readonly Item[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: Item, delayMs: number): void {
    const entry = { dueMs: this.#clock.monotonic() + delayMs, order: this.#order, item };
    this.#order += 1;
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    this.#arm();
  }

  /** Takes out everything that `matches`. */
  remove(matches: (item: Item) => boolean): Item[] {
    const out = this.#heap.filter((entry) => matches(entry.item));
    if (out.length === 0) return [];
    const kept = this.#heap.filter((entry) => !matches(entry.item));
    this.#heap = kept.sort((a, b) => (before(a, b) ? -1 : 1));
    this.#arm();
    return out.map((entry) => entry.item);
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first !== undefined && this.#timer !== undefined && this.#timerDueMs <= first.dueMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    if (first === undefined) return;
    this.#timerDueMs = first.dueMs;
    this.#timer = this.#clock.setTimer(() => this.#fire(), Math.max(0, first.dueMs - this.#clock.monotonic()));
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonic();
    const due: Item[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      due.push(first.item);
      this.#pop();
    }
    this.#arm();
    if (due.length > 0) this.#onDue(due);
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < this.#heap.length && before(this.#heap[left] as Entry<Item>, this.#heap[least] as Entry<Item>)) least = left;
      if (right < this.#heap.length && before(this.#heap[right] as Entry<Item>, this.#heap[least] as Entry<Item>)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(this.#heap[at] as Entry<Item>, this.#heap[parent] as Entry<Item>)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #swap(a: number, b: number): void {
    const entry = this.#heap[a] as Entry<Item>;
    this.#heap[a] = this.#heap[b] as Entry<Item>;
    this.#heap[b] = entry;
  }
}
