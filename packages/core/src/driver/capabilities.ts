/** What a backend can do, as data: core refuses what is not claimed, and the conformance suite checks both sides. */
import type { ConsumerMode } from "../consume/consumer-mode.ts";
import type { DriverAdmin } from "./driver-admin.ts";

/** The calls of `streamer.admin`, as a driver claims them. */
export type AdminCall = keyof DriverAdmin | "createStream";

export interface Capabilities {
  readonly modes: readonly ConsumerMode[];
  /** Groups are kept at the broker: positions survive the consumer and can be looked at. */
  readonly groups: boolean;
  /** `seek`, `rewind`, `assign`, `unassign`. */
  readonly seek: boolean;
  /** Who redelivers a nak'ed message: the broker, or core with the broker's lease held. */
  readonly nak: "native" | "core";
  readonly headers: boolean;
  readonly keys: boolean;
  /** `messageId` travels with the message. */
  readonly messageIds: boolean;
  /** A second message with a `messageId` seen before is not stored again, within a window. */
  readonly dedupe: boolean;
  readonly shards: boolean;
  /** `"any"`: `*` and `**` anywhere; `"all"`: only the pattern `**`. */
  readonly patterns: "any" | "all" | "none";
  /** `fetch`: as many as asked for, at the broker too. */
  readonly fetch: boolean;
  readonly delivery: readonly ("pull" | "push")[];
  readonly transactions: boolean;
  /** A send may name the last sequence that it expects. */
  readonly expectedSequence: boolean;
  /** `"text-line"`: UTF-8 without line breaks, not empty, not beginning with white space. */
  readonly payloads: "any" | "text-line";
  readonly requestReply: false;
  /** `admin.createStream` takes `retention`. */
  readonly retention: boolean;
  readonly admin: readonly AdminCall[];
  /** The largest payload in bytes that the backend takes, where it is known. */
  readonly maxMessageBytes?: number;
  /** How long the reader of a resumable group that died keeps others out, ms, unless the option `readerLeaseMs` of its namespace says otherwise. */
  readonly readerLeaseMs?: number;
  /** For what is not claimed: why, or what to do instead. Keys are names of this interface or of calls. */
  readonly reasons?: Readonly<Record<string, string>>;
}
