/** Core's own options, by the place where they are given: what is checked in code and may be set by a URL. */
import { AutoCommit, AutoStreamReset, ConsumerMode } from "../consume/consumer-mode.ts";
import type { OptionKind, OptionScope } from "../driver/driver.ts";

/** As a driver's {@link OptionKind}, and for core's own also one of several kinds, or any value at all. */
export type PortableKind = OptionKind | "any" | { readonly anyOf: readonly OptionKind[] };

/** Options by name. */
export type OptionKinds = Readonly<Record<string, PortableKind>>;

/** Options by place and name. A driver's `OptionTable` is one. */
export type PortableOptionTable = Readonly<Record<OptionScope, OptionKinds>>;

/** The portable options of every place. Their defaults and meanings are with the option types that programs see. */
export const PORTABLE_OPTIONS: PortableOptionTable = {
  connect: {
    clientName: "text",
    timeoutMs: "number",
    drivers: "object",
    onEvent: "object",
    signal: "object",
    clock: "object",
    random: "object",
  },
  producer: {
    codec: "object",
    contentType: "boolean",
    shards: "number",
    sharder: { anyOf: [["key-hash", "round-robin"], "object"] },
    createStream: "boolean",
    timeoutMs: "number",
    sendTimeoutMs: "number",
    highWaterBytes: "number",
    maxBufferedBytes: "number",
    maxBatchBytes: "number",
    maxMessageBytes: "number",
    ordering: ["kept", "strict", "relaxed"],
    dedupe: "boolean",
    middleware: "object",
    signal: "object",
  },
  send: {
    key: { anyOf: ["text", "object"] },
    headers: "object",
    timestampMs: "number",
    messageId: "text",
    shard: "number",
  },
  consumer: {
    mode: Object.values(ConsumerMode),
    group: "text",
    autoStreamReset: Object.values(AutoStreamReset),
    autoCommit: Object.values(AutoCommit),
    autoCommitIntervalMs: "number",
    autoCommitDelayMs: "number",
    ackTimeoutMs: "number",
    keepAliveMs: "number",
    consumerName: "text",
    createStream: "boolean",
    shards: "number",
    until: ["end"],
    codec: "object",
    onDecodeError: ["dead-letter", "term", "throw", "raw"],
    maxPrefetchMessages: "number",
    maxPrefetchBytes: "number",
    maxMessagesPerSecond: "number",
    maxMessageBytes: "number",
    timeoutMs: "number",
    signal: "object",
  },
  stream: {
    shards: "number",
    retention: "object",
    timeoutMs: "number",
    signal: "object",
  },
};

/** As {@link PORTABLE_OPTIONS}, for the entries of bulk sends: value and stream stand among the options there. */
export const ENTRY_OPTIONS: PortableOptionTable = {
  ...PORTABLE_OPTIONS,
  send: { ...PORTABLE_OPTIONS.send, value: "any", streamKey: "text" },
};

/** The options of `run`: not in a URL, and drivers have none there. */
export const RUN_OPTIONS: OptionKinds = {
  concurrency: "number",
  orderBy: ["none", "key", "shard"],
  retry: "object",
  deadLetter: { anyOf: ["boolean", "text", "object"] },
  handlerTimeoutMs: "number",
  drainTimeoutMs: "number",
  onError: "object",
  batch: "object",
  middleware: "object",
  signal: "object",
};

/** The options of `fetch`. */
export const FETCH_OPTIONS: OptionKinds = { maxMessages: "number", expiresMs: "number", signal: "object" };

/** The options of `relay`. */
export const RELAY_OPTIONS: OptionKinds = { transform: "object", originHeaders: "boolean", signal: "object" };

/** Names kept for what no backend does yet: `unsupported`, not unknown. */
export const RESERVED_SEND_OPTIONS: readonly string[] = ["delayMs", "deliverAt", "ttlMs"];

/** The call in which a place's options are given. */
export const OPTION_CALLS: Readonly<Record<OptionScope, string>> = {
  connect: "connect",
  producer: "createProducer",
  send: "send",
  consumer: "createConsumer",
  stream: "admin.createStream",
};

/** Every place, in the order in which a program meets them. */
export const OPTION_SCOPES: readonly OptionScope[] = ["connect", "producer", "send", "consumer", "stream"];

/** What a kind expects, in words: `autoCommit must be …`. */
export function describeKind(kind: PortableKind): string {
  switch (kind) {
    case "boolean":
      return "true or false";
    case "number":
      return "a number, 0 or more";
    case "text":
      return "a text";
    case "texts":
      return "a list of texts";
    case "object":
      return "an object or a function";
    case "any":
      return "any value";
  }
  if ("anyOf" in kind) return kind.anyOf.map(describeKind).join(", or ");
  const words = kind.map((word) => `"${word}"`);
  return words.length === 1 ? words.join() : `one of ${words.join(", ")}`;
}
