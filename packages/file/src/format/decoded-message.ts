/** A message as the decoder found it. Fields are read from its bytes when asked for: most readers want few of them. */

import type { U64 } from "./big-endian.ts";
import type { MessageExtras } from "./header-frame.ts";
import {
  FRAME_HEAD_BYTES,
  FRAME_TAIL_BYTES,
  type FrameSource,
  frameChecksum,
  framePayloadBytes,
  frameSequence,
  frameTimestamp,
} from "./message-frame.ts";
import type { StreamId } from "./stream-id.ts";

/** What a header frame lends to the message after it. */
export interface AppliedHeaders {
  readonly extras: MessageExtras;
  /** File offset of the header frame. */
  readonly startOffset: number;
}

export class DecodedMessage {
  readonly stream: StreamId;
  readonly #source: FrameSource;
  /** Index of the sequence field in the source. */
  readonly #at: number;
  readonly #headers: AppliedHeaders | undefined;

  constructor(stream: StreamId, source: FrameSource, at: number, headers: AppliedHeaders | undefined) {
    this.stream = stream;
    this.#source = source;
    this.#at = at;
    this.#headers = headers;
  }

  get kind(): "message" {
    return "message";
  }

  get streamKey(): string {
    return this.stream.key;
  }

  get shard(): number {
    return this.stream.shard;
  }

  /** Exact: a number up to 2^53 − 1, above that a bigint. */
  get sequence(): U64 {
    return frameSequence(this.#source.bytes, this.#at);
  }

  /** Ms since the Unix epoch; exact like {@link sequence}. */
  get timestamp(): U64 {
    return frameTimestamp(this.#source.bytes, this.#at);
  }

  /** Ms since the Unix epoch; the nearest number above 2^53 − 1. */
  get timestampMs(): number {
    return Number(this.timestamp);
  }

  get payloadBytes(): number {
    return framePayloadBytes(this.#source.bytes, this.#at);
  }

  /**
   * A view of the chunk the message came in, or of a copy if a beacon or the chunk's end split it. It keeps that whole chunk alive.
   * Never a Buffer, whose `slice` would be another view instead of a copy.
   */
  get payload(): Uint8Array {
    const { bytes } = this.#source;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + this.#at + FRAME_HEAD_BYTES, this.payloadBytes);
  }

  /** The checksum that stands in the file. */
  get checksum(): number {
    return frameChecksum(this.#source.bytes, this.#at, this.payloadBytes);
  }

  /** Key, message id and headers, if a header frame came with the message. */
  get extras(): MessageExtras | undefined {
    return this.#headers?.extras;
  }

  /** File offset of the message's first byte; of its header frame's, if it has one. Decoding can start there. */
  get startOffset(): number {
    return this.#headers?.startOffset ?? this.#source.offset + this.#at - this.stream.prefix.length;
  }

  /** File offset after the message; a beacon may stand there. */
  get endOffset(): number {
    if (this.#source.splitEnd >= 0) return this.#source.splitEnd;
    return this.#source.offset + this.#at + FRAME_HEAD_BYTES + this.payloadBytes + FRAME_TAIL_BYTES;
  }
}

/** A class of messages that a decoder can be told to make; it adds ways to look at them, and nothing to construct. */
export type MessageType = new (...parts: ConstructorParameters<typeof DecodedMessage>) => DecodedMessage;
