/** What a decoder yields, in file order. */

import type { BeaconMarker } from "./beacon.ts";
import type { U64 } from "./big-endian.ts";
import type { DecodedMessage } from "./decoded-message.ts";

export type SsItem = DecodedMessage | SsEos | SsBeacon | SsProblem;

/** An end-of-stream message. It ends the file only if nothing follows it: the file's reader decides. */
export interface SsEos {
  readonly kind: "eos";
  readonly startOffset: number;
  readonly endOffset: number;
  readonly timestamp: U64;
  readonly checksum: number;
}

/** A beacon; one that splits a message comes before that message. Only with the option `beacons`. */
export interface SsBeacon {
  readonly kind: "beacon";
  readonly startOffset: number;
  readonly endOffset: number;
  /** Bytes of the message in progress after the beacon. */
  readonly remaining: number;
  readonly markers: readonly BeaconMarker[];
}

/**
 * Something in the file is not as it should be; decoding goes on.
 * - `bad-checksum`: one message whose payload is damaged, in `message`.
 * - `skipped`: the bytes from `startOffset` to `endOffset` could not be made out; messages in them are lost.
 * - `bad-beacon`: a beacon that contradicts sound messages around it; nothing is lost.
 * - `orphan-headers`, `bad-headers`: a header frame that belongs to no message, or cannot be read.
 */
export interface SsProblem {
  readonly kind: "problem";
  readonly code: "bad-checksum" | "skipped" | "bad-beacon" | "orphan-headers" | "bad-headers";
  readonly startOffset: number;
  readonly endOffset: number;
  /** One line that says what was found. */
  readonly reason: string;
  readonly message?: DecodedMessage;
}
