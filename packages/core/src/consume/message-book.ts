/** What a consumer's parts need of its book-keeping, whichever mode it is in. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { Message, Settler } from "../message/message.ts";

export interface MessageBook {
  /** For a message that arrived; monotonic ms. */
  admit(incoming: IncomingMessage, leasedAtMs: number): Settler;
  /** It goes to the program; false: it was lost while it waited. */
  handOver(message: Message<unknown>): boolean;
  /** Whether it was lost while it waited. */
  isLost(message: Message<unknown>): boolean;
  /** Whether it is handed over and not settled. */
  isHeld(message: Message<unknown>): boolean;
  /** Whether it was nak'ed, and core gives it again when its delay is over. */
  isWaiting(message: Message<unknown>): boolean;
  /** What is terminated goes here instead of to the broker: a run dead-letters it. */
  onTerm: ((message: Message<unknown>, reason: string | undefined) => void) | undefined;
  /** Held again, after {@link onTerm} took it. */
  reopen(message: Message<unknown>): void;
  /** Back from being handed over: the reader gave it back before the program saw it. */
  takeBack(message: Message<unknown>): void;
  /** Whether the broker gives a message again that {@link giveBack} took; else what is unread stays here. */
  readonly givesBack: boolean;
  /** Gives unread messages back to the broker. */
  giveBack(messages: readonly Message<unknown>[]): Promise<void>;
  /** Deliveries that are not settled, the unread ones included. */
  readonly open: number;
  /** The failure of a background commit, once. */
  takeFailure(): StreamError | undefined;
}
