/** The reference driver: a broker in this process, for tests, examples, and as the model for other drivers. */
import type { Capabilities } from "../driver/capabilities.ts";
import type { Driver } from "../driver/driver.ts";
import { MemoryConnection } from "./connection.ts";
import { classifyError } from "./errors.ts";
import { MEMORY_OPTIONS } from "./options.ts";

const CAPABILITIES: Capabilities = {
  modes: ["real-time", "resumable", "load-balanced"],
  groups: true,
  seek: true,
  nak: "core",
  headers: true,
  keys: true,
  messageIds: true,
  dedupe: true,
  shards: true,
  patterns: "any",
  fetch: true,
  delivery: ["pull"],
  transactions: false,
  expectedSequence: false,
  payloads: "any",
  requestReply: false,
  retention: true,
  readerLeaseMs: 10_000,
  admin: ["createStream", "deleteStream", "listStreams", "streamInfo", "trim", "listGroups", "groupInfo", "setGroup", "deleteGroup"],
};

export const memoryDriver: Driver = {
  name: "memory",
  schemes: ["memory"],
  options: MEMORY_OPTIONS,
  describe: () => CAPABILITIES,
  open: async (uri, context) => new MemoryConnection(uri.authority, CAPABILITIES, context),
  classifyError,
};
