/** One shard's messages in memory: positions from 1, appended at the end, trimmed at the beginning. */
import type { StoredMessage } from "./message.ts";

/** How many removed places are kept before the rest is moved to the front. */
const COMPACT_AT = 4096;

export class ShardLog {
  #items: (StoredMessage | undefined)[] = [];
  #head = 0;
  #first = 1;
  #bytes = 0;

  /** Position of the oldest message kept; {@link next} when there is none. */
  get first(): number {
    return this.#first;
  }
  /** Position that the next message gets. */
  get next(): number {
    return this.#first + this.length;
  }
  get length(): number {
    return this.#items.length - this.#head;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get lastMs(): number | undefined {
    return this.#items.at(-1)?.brokerTimestampMs;
  }

  /** The message has the position {@link next}. */
  append(message: StoredMessage): void {
    this.#items.push(message);
    this.#bytes += message.size;
  }

  at(position: number): StoredMessage | undefined {
    return position < this.#first ? undefined : this.#items[this.#head + position - this.#first];
  }

  /** Position of the first message whose broker time is later; {@link next} if none is. */
  firstAfter(timeMs: number): number {
    let low = this.#first;
    let high = this.next;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      if ((this.at(middle)?.brokerTimestampMs ?? 0) > timeMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Removes everything before `position`. */
  trimTo(position: number): void {
    while (this.#first < position && this.length > 0) this.#removeFirst();
  }

  /** Removes the oldest while `exceeds` says so. */
  trimWhile(exceeds: (oldest: StoredMessage) => boolean): void {
    for (let oldest = this.#items[this.#head]; oldest !== undefined && exceeds(oldest); oldest = this.#items[this.#head])
      this.#removeFirst();
  }

  #removeFirst(): void {
    this.#bytes -= this.#items[this.#head]?.size ?? 0;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#first += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
