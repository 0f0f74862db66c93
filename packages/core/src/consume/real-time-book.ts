/** Book-keeping in real-time mode, and where the broker tracks nothing: acks do nothing, a nak gives the message again from here. */
import type { Message, Settler } from "../message/message.ts";
import type { Clock } from "../time/clock.ts";
import type { MessageBook } from "./message-book.ts";
import { RedeliveryQueue } from "./redelivery-queue.ts";

export class RealTimeBook implements MessageBook, Settler {
  readonly #waiting: RedeliveryQueue<Message<unknown>>;
  /** Nak'ed once: again would give it twice. True while it waits. */
  readonly #naked = new WeakMap<Message<unknown>, boolean>();
  onTerm: MessageBook["onTerm"];
  #open = 0;

  /** `onSettled`: less is owed than before. */
  constructor(clock: Clock, redeliver: (messages: readonly Message<unknown>[]) => void, onSettled: () => void) {
    this.#waiting = new RedeliveryQueue(clock, (due) => {
      this.#open -= due.length;
      for (const message of due) this.#naked.set(message, false);
      redeliver(due.map((message) => message.again(this, message.deliveryCount + 1)));
      onSettled();
    });
  }

  readonly givesBack = false;

  /** Only what waits to be given again is still owed. */
  get open(): number {
    return this.#open;
  }

  ack(): boolean {
    return true;
  }
  term(message: Message<unknown>, reason: string | undefined): boolean {
    this.onTerm?.(message, reason);
    return true;
  }
  extend(): boolean {
    return true;
  }
  nak(message: Message<unknown>, delayMs: number): boolean {
    if (!(delayMs >= 0)) throw new TypeError("delayMs is a number of milliseconds from 0");
    if (this.#naked.has(message)) throw new TypeError("this message was nak'ed before");
    this.#naked.set(message, true);
    this.#open += 1;
    this.#waiting.add(message, delayMs);
    return true;
  }

  admit(): this {
    return this;
  }
  handOver(): boolean {
    return true;
  }
  isLost(): boolean {
    return false;
  }
  isHeld(message: Message<unknown>): boolean {
    return !this.#naked.has(message);
  }
  isWaiting(message: Message<unknown>): boolean {
    return this.#naked.get(message) === true;
  }
  reopen(): void {}
  takeBack(): void {}
  async giveBack(): Promise<void> {}
  takeFailure(): undefined {
    return undefined;
  }

  /** Forgets what waits to be given again: after a seek, and on close. */
  clear(): void {
    for (const message of this.#waiting.remove(() => true)) this.#naked.set(message, false);
    this.#open = 0;
  }
}
