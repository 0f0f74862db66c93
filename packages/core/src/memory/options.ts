/** The options of the `memory` namespace. */
import type { OptionTable } from "../driver/driver.ts";

/** Options of `connect("memory://…", { memory: … })`. */
export interface MemoryConnectOptions {
  /** How long a `messageId` is remembered, ms. Default: 120,000. */
  readonly dedupeWindowMs?: number | undefined;
}

export const MEMORY_OPTIONS: OptionTable = {
  connect: { dedupeWindowMs: "number" },
  producer: {},
  send: {},
  consumer: {},
  stream: {},
};
