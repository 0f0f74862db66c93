/** The sending half of a driver: it stores batches, in order, and says of each message what became of it. */
import type { HeaderEntries } from "../message/header-entries.ts";
import type { CallOptions } from "./driver.ts";
import type { Shard } from "./shard.ts";

export interface ProducerRequest {
  /** Whether a repeated `messageId` is to be stored once. Only asked of drivers that claim `dedupe`. */
  readonly dedupe: boolean;
  /** `ordering: "strict"`: core keeps one batch in flight; a client's own pipelining is to be off as well. */
  readonly strict: boolean;
  /** The driver's namespace, checked against its option table. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** One message to store. The same object is given again when core retries it. */
export interface OutgoingMessage extends Shard {
  /** Valid, and unchanged, until its outcome is told. A driver that keeps the bytes longer copies them. */
  readonly payload: Uint8Array;
  readonly key?: Uint8Array | undefined;
  readonly headers?: HeaderEntries | undefined;
  /** The producer's own time, ms since the epoch. */
  readonly timestampMs?: number | undefined;
  readonly messageId?: string | undefined;
  /** The driver's namespace of this send, checked. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** What became of one message: stored, not stored, or unknown (the connection went before the answer came). */
export type SendOutcome =
  | {
      readonly stored: true;
      readonly sequence: bigint;
      readonly timestampMs?: number | undefined;
      readonly duplicate?: boolean;
      /** Of a duplicate's original, where it is another shard than the message was sent to. */
      readonly shardId?: number;
    }
  | { readonly stored: false | "unknown"; readonly error: unknown };

export interface DriverProducer {
  readonly limits: {
    readonly batchMessages: number;
    readonly batchBytes: number;
    /** Above 1 only where batches sent one after the other are stored in that order. */
    readonly batchesInFlight: number;
  };
  /** Whether sending the same {@link OutgoingMessage} again after an unknown outcome cannot store it twice. */
  readonly resendIsSafe?: boolean;
  /**
   * Stores a batch; messages of one stream and shard in the order given. One outcome per message, at the same index.
   * Called again before it settled, up to `batchesInFlight` times. It never retries by itself: core does, by `classifyError`.
   * Rejects only if nothing is known about any message of the batch. When `call.signal` aborts it settles soon,
   * with `"unknown"` for what was on its way.
   */
  send(batch: readonly OutgoingMessage[], call: CallOptions): Promise<readonly SendOutcome[]>;
  /** Nothing is in flight when core calls it. */
  close(call: CallOptions): Promise<void>;
}
