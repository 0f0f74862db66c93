/** One opened reading of the driver with its buffer and its book. A seek out of a group closes one session and opens another. */
import type { DriverConsumer } from "../driver/driver-consumer.ts";
import type { Message } from "../message/message.ts";
import type { Intake } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { MessageBook } from "./message-book.ts";

export interface Session<T> {
  readonly driver: DriverConsumer;
  readonly intake: Intake<T>;
  readonly book: MessageBook;
  /** The book, where the broker tracks deliveries. */
  readonly ledger: Ledger | undefined;
  /** Takes away what is nak'ed and due, before it goes to the intake; a runner that keeps order sets it. */
  onDue: ((messages: readonly Message<unknown>[]) => void) | undefined;
  /** Settles, gives back, and closes the driver's half; once. Aborted, it settles no more and gives back at once. */
  close(signal?: AbortSignal): Promise<void>;
  /** Drops what waits to be given again without a broker: after a seek. */
  forget(): void;
}
