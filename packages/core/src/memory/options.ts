/** The options of the `memory` namespace. */
import type { OptionTable } from "../driver/driver.ts";

/** Options of `connect("memory://…", { memory: … })`. */
export interface MemoryConnectOptions {
  /** How long a `messageId` is remembered, ms. Default: 120,000. */
  readonly dedupeWindowMs?: number | undefined;
}

/** Options of `createConsumer(…, { memory: … })`, in the modes with a group. */
export interface MemoryConsumerOptions {
  /** How long a delivery stays its member's without a word, ms. Default: 60,000. */
  readonly claimIdleMs?: number | undefined;
  /** How often a member looks for what others left, ms. Default: 5,000. */
  readonly claimIntervalMs?: number | undefined;
  /** How long the reader of a resumable group that died keeps others out, ms. Default: 10,000. */
  readonly readerLeaseMs?: number | undefined;
}

export const MEMORY_OPTIONS: OptionTable = {
  connect: { dedupeWindowMs: "number" },
  producer: {},
  send: {},
  consumer: { claimIdleMs: "number", claimIntervalMs: "number", readerLeaseMs: "number" },
  stream: {},
};
