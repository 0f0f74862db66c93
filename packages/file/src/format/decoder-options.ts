/** What a reader can ask of a decoder. */

import type { MessageType } from "./decoded-message.ts";

export const DEFAULT_MAX_PAYLOAD_BYTES: number = 1024 * 1024 * 1024;

export interface SsDecoderOptions {
  /** Yield beacons too. Default false. */
  readonly beacons?: boolean;
  /** Yield header frames as plain messages and apply none: for tools that show what is in the file. Default false. */
  readonly raw?: boolean;
  /** A payload above this is taken for a damaged length. Bytes, default 1 GiB, at most 4 GiB − 282. */
  readonly maxPayloadBytes?: number;
  /** What messages are made of, so that no second object is needed for each. Default: DecodedMessage. */
  readonly messageType?: MessageType;
}
