/** The deliveries that are ours: a linked list through the deliveries themselves, so that nothing is allocated. */
import type { Delivery } from "./delivery.ts";

export class LiveList {
  #head: Delivery | undefined;
  #tail: Delivery | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(delivery: Delivery): void {
    delivery.previous = this.#tail;
    delivery.next = undefined;
    if (this.#tail === undefined) this.#head = delivery;
    else this.#tail.next = delivery;
    this.#tail = delivery;
    this.#size += 1;
  }

  remove(delivery: Delivery): void {
    if (delivery.previous === undefined && this.#head !== delivery) return;
    if (delivery.previous === undefined) this.#head = delivery.next;
    else delivery.previous.next = delivery.next;
    if (delivery.next === undefined) this.#tail = delivery.previous;
    else delivery.next.previous = delivery.previous;
    delivery.previous = undefined;
    delivery.next = undefined;
    this.#size -= 1;
  }

  /** In order; the visited one may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<Delivery> {
    for (let at = this.#head; at !== undefined; ) {
      const next: Delivery | undefined = at.next;
      yield at;
      at = next;
    }
  }
}
