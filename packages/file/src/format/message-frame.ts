/**
 * One message as bytes, beacons left out of account.
 *
 * ```
 * u8 key length | key | u64 shard | u64 sequence | u64 timestamp ms | u32 size | payload | u16 checksum | 0D
 * └────────── prefix ──────────┘ └────────────── 20 ──────────────┘            └───────── 3 ────────┘
 * ```
 * The checksum is CRC-16/CDMA2000 of the payload only.
 */

import { readU16, readU32, readU64, type U64, writeU16, writeU32, writeU64 } from "./big-endian.ts";
import { crc16, crc16OfView } from "./crc16.ts";
import type { StreamId } from "./stream-id.ts";

/** Bytes between a frame's prefix and its payload. */
export const FRAME_HEAD_BYTES = 20;
/** Bytes after the payload. */
export const FRAME_TAIL_BYTES = 3;
/** The most that `remaining` of a beacon, a u32, can count. */
export const MAX_PAYLOAD_BYTES: number = 0xffff_ffff - (258 + FRAME_HEAD_BYTES + FRAME_TAIL_BYTES);

export function frameByteLength(id: StreamId, payloadBytes: number): number {
  return id.prefix.length + FRAME_HEAD_BYTES + payloadBytes + FRAME_TAIL_BYTES;
}

/** Writes everything before the payload at `out[at]` and gives the index after it. */
export function encodeFrameHead(out: Uint8Array, at: number, id: StreamId, sequence: U64, timestamp: U64, payloadBytes: number): number {
  const prefix = id.prefix;
  // A loop: for the few bytes of a prefix `set` costs more in the call than in the copy.
  for (let i = 0; i < prefix.length; i++) out[at + i] = prefix[i] as number;
  at += prefix.length;
  writeU64(out, at, sequence);
  writeU64(out, at + 8, timestamp);
  writeU32(out, at + 16, payloadBytes);
  return at + FRAME_HEAD_BYTES;
}

/** Writes what follows the payload and gives the index after it. */
export function encodeFrameTail(out: Uint8Array, at: number, checksum: number): number {
  writeU16(out, at, checksum);
  out[at + 2] = 0x0d;
  return at + FRAME_TAIL_BYTES;
}

/** Whether the payload matches the checksum behind it; `at` is where the frame's head (sequence) begins. */
export function isPayloadRight(bytes: Uint8Array, at: number, payloadBytes: number): boolean {
  const start = at + FRAME_HEAD_BYTES;
  return crc16(bytes, start, start + payloadBytes) === readU16(bytes, start + payloadBytes);
}

/** As {@link isPayloadRight}, for the many frames of one source. */
export function isPayloadRightIn(source: FrameSource, at: number, payloadBytes: number): boolean {
  const start = at + FRAME_HEAD_BYTES;
  return crc16OfView(source.view, start, start + payloadBytes) === readU16(source.bytes, start + payloadBytes);
}

/** Whether the frame's last byte is the 0D that writers put there: looked at only where something else is wrong. */
export function endsFrame(bytes: Uint8Array, at: number, payloadBytes: number): boolean {
  return bytes[at + FRAME_HEAD_BYTES + payloadBytes + 2] === 0x0d;
}

/** Where the bytes of decoded frames are, and where they were in the file. */
export class FrameSource {
  /** Frames without the beacons that split them. */
  readonly bytes: Uint8Array;
  /** File offset of `bytes[0]`. */
  readonly offset: number;
  /** File offset after the frame if beacons were taken out of it, else −1: then frame and file run in step. */
  readonly splitEnd: number;
  #view: DataView | undefined;

  constructor(bytes: Uint8Array, offset: number, splitEnd = -1) {
    this.bytes = bytes;
    this.offset = offset;
    this.splitEnd = splitEnd;
  }

  /** Of `bytes`; made when it is first asked for. */
  get view(): DataView {
    const { bytes } = this;
    this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#view;
  }
}

/** Reads one frame's fields on demand; `at` is where its head (sequence) begins. */
export function frameSequence(bytes: Uint8Array, at: number): U64 {
  return readU64(bytes, at);
}

export function frameTimestamp(bytes: Uint8Array, at: number): U64 {
  return readU64(bytes, at + 8);
}

export function framePayloadBytes(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 16);
}

export function frameChecksum(bytes: Uint8Array, at: number, payloadBytes: number): number {
  return readU16(bytes, at + FRAME_HEAD_BYTES + payloadBytes);
}
