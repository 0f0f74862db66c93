/** One delivery of one message while it is this consumer's: from its arrival to the moment when the broker has heard what became of it. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import type { Message, Settler } from "../message/message.ts";

/**
 * `unread`: in the buffer. `held`: handed over. `settling`: settled by the program, the broker is yet to be told. `waiting`: nak'ed, core
 * gives it again after its delay. `settled`: told, or given again. `lost`: no longer ours; nothing is told.
 */
export type DeliveryState = "unread" | "held" | "settling" | "waiting" | "settled" | "lost";

/** What a delivery tells, and asks, of the consumer's book. */
export interface DeliveryBook {
  ack(delivery: Delivery): boolean;
  nak(delivery: Delivery, delayMs: number): boolean;
  term(delivery: Delivery, reason: string | undefined): boolean;
  extend(delivery: Delivery): boolean;
}

export interface LossListener {
  lost(): void;
}

export class Delivery implements Settler {
  readonly incoming: IncomingMessage;
  readonly #book: DeliveryBook;
  state: DeliveryState = "unread";
  /** Monotonic: from when the broker, at the latest, counts the lease. */
  leasedAtMs: number;
  /** Monotonic; 0 while unread. */
  handedAtMs = 0;
  /** How often the message was delivered, this time included. */
  readonly count: number;
  /** Whether a handler of this consumer failed on it before: it is known not to kill the process. */
  readonly failedHere: boolean;
  /** It was nak'ed without having been handled, which says nothing of what a handler would do. */
  isUnhandled = false;
  /** The place in the book's list of live deliveries. */
  previous: Delivery | undefined = undefined;
  next: Delivery | undefined = undefined;
  /** The delivery that took this one's place when core gave the message again. */
  successor: Delivery | undefined = undefined;
  /** What the program was, or will be, given. */
  message: Message<unknown> | undefined = undefined;
  /** Told once when it is lost after it was handed over. */
  onLost: LossListener | undefined = undefined;

  constructor(incoming: IncomingMessage, book: DeliveryBook, leasedAtMs: number, count: number, failedHere: boolean) {
    this.incoming = incoming;
    this.#book = book;
    this.leasedAtMs = leasedAtMs;
    this.count = count;
    this.failedHere = failedHere;
  }

  ack(): boolean {
    return this.#book.ack(this);
  }
  nak(_message: Message<unknown>, delayMs: number): boolean {
    return this.#book.nak(this, delayMs);
  }
  term(_message: Message<unknown>, reason: string | undefined): boolean {
    return this.#book.term(this, reason);
  }
  extend(): boolean {
    return this.#book.extend(this);
  }
}
