/** The header frame that a decoder has read and whose message must come next. */

import type { AppliedHeaders, DecodedMessage } from "./decoded-message.ts";
import { decodeHeaderPayload, type HeaderFrame, isHeaderFrameFor } from "./header-frame.ts";

interface Waiting extends AppliedHeaders {
  readonly frame: HeaderFrame;
  readonly message: DecodedMessage;
}

export class WaitingHeaders {
  #waiting: Waiting | undefined;

  get isEmpty(): boolean {
    return this.#waiting === undefined;
  }

  /** Keeps the frame for the next message; false if it cannot be read. */
  keep(message: DecodedMessage): boolean {
    const frame = decodeHeaderPayload(message.payload);
    if (frame === undefined) return false;
    this.#waiting = { frame, message, extras: frame.extras, startOffset: message.startOffset };
    return true;
  }

  /** Hands the headers over if stream, shard, sequence, time and checksum agree; else they stay. */
  takeFor(message: DecodedMessage): AppliedHeaders | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    const { sequence, shard } = waiting.message;
    if (sequence !== message.sequence || shard !== message.shard || !isHeaderFrameFor(waiting.frame, message)) return undefined;
    this.#waiting = undefined;
    return waiting;
  }

  /** Forgets the frame and gives its message, to be reported. */
  drop(): DecodedMessage | undefined {
    const dropped = this.#waiting?.message;
    this.#waiting = undefined;
    return dropped;
  }
}
