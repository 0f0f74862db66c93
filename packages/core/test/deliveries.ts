/** Deliveries without a consumer: for tests of the parts that keep book of them. */

import { Delivery, type DeliveryBook } from "../src/consume/delivery.ts";
import { Secrets } from "../src/error/secrets.ts";
import { ErrorWrapper } from "../src/error/wrap-error.ts";
import { fakeDriver } from "./fake-driver.ts";
import { incoming } from "./scripted-consumer.ts";

const NO_BOOK: DeliveryBook = { ack: () => true, nak: () => true, term: () => true, extend: () => true };

/** One that is handed over. */
export function delivery(sequence: number, shardId = 0, leasedAtMs = 0): Delivery {
  const made = new Delivery(incoming(String(sequence), { sequence, shardId, token: sequence }), NO_BOOK, leasedAtMs, 1, false);
  made.state = "held";
  made.handedAtMs = leasedAtMs;
  return made;
}

export function sequenceOf({ incoming: { sequence } }: Delivery): number {
  return Number(sequence);
}

export const wrapper: ErrorWrapper = new ErrorWrapper(fakeDriver(), new Secrets([]));
