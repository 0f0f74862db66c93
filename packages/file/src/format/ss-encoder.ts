/** Turns messages into the bytes of a `.ss` file, beacons included: the writer's hot path, without any file in it. */

import { beaconByteLength, beaconCapacity, encodeBeacon } from "./beacon.ts";
import { toU64, type U64 } from "./big-endian.ts";
import { crc16, crc16OfView } from "./crc16.ts";
import { EOS_PAYLOAD } from "./end-of-stream.ts";
import { assertBeaconInterval, encodeFileHeader, FILE_HEADER_BYTES, type FileHeader } from "./file-header.ts";
import { SsFormatError } from "./format-error.ts";
import { encodeHeaderPayload, hasExtras, type MessageExtras } from "./header-frame.ts";
import { MarkerRotation } from "./marker-rotation.ts";
import { encodeFrameHead, encodeFrameTail, frameByteLength, MAX_PAYLOAD_BYTES } from "./message-frame.ts";
import { createStreamId, INTERNAL_KEY, type StreamId } from "./stream-id.ts";
import { type StreamSnapshot, type StreamState, StreamStates } from "./stream-state.ts";

/** All that is needed to go on writing a file as if it had never been closed. */
export interface EncoderState {
  /** File offset at which the next byte goes; a multiple of the interval means that its beacon is still to be written. */
  readonly offset: number;
  readonly beaconInterval: number;
  /** Streams seen so far. */
  readonly streams: readonly StreamSnapshot[];
  /** Markers in all beacons so far: where their rotation stands. */
  readonly markersWritten: number;
}

/** Bytes to be written at a file offset. */
export interface EncodedBytes {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const EMPTY: Buffer = Buffer.alloc(0);
/** A new buffer has at least this size. */
const FIRST_BUFFER_BYTES = 64 * 1024;
/** A buffer above this is not kept for reuse: one huge message must not hold its memory for ever. */
const MAX_KEPT_BUFFER_BYTES = 8 * 1024 * 1024;
/** Room for a frame's fields around the payload: 258 + 20. */
const FRAME_SCRATCH_BYTES = 278;

export class SsEncoder {
  readonly beaconInterval: number;
  readonly #streams = new StreamStates();
  readonly #rotation: MarkerRotation;
  readonly #scratch = new Uint8Array(FRAME_SCRATCH_BYTES);
  #out: Buffer = EMPTY;
  #outView: DataView = viewOf(EMPTY);
  #spare: Buffer | undefined;
  /** A little more than was taken last: the next batch will need about as much. */
  #expectedBytes = FIRST_BUFFER_BYTES;
  /** File offset of `#out[0]`. */
  #outOffset: number;
  #length = 0;
  /** Index in `#out` where the next beacon stands; always above `#length` between two calls. */
  #beaconAt: number;

  /** Goes on from a state: that of a scanned file, or of another encoder. For a new file see {@link startFile}. */
  constructor(state: EncoderState) {
    assertBeaconInterval(state.beaconInterval);
    this.beaconInterval = state.beaconInterval;
    this.#rotation = new MarkerRotation(beaconCapacity(state.beaconInterval), state.markersWritten);
    for (const snapshot of state.streams) this.#rotation.add(this.#streams.restore(snapshot));
    this.#outOffset = state.offset;
    this.#beaconAt = Math.ceil(state.offset / state.beaconInterval) * state.beaconInterval - state.offset;
    if (this.#beaconAt === 0) {
      if (state.offset === 0) this.#beaconAt = this.beaconInterval;
      else this.#writeBeacon(0);
    }
  }

  /** An encoder for an empty file; its first bytes are the file header. */
  static startFile(header: FileHeader): SsEncoder {
    const headerBytes = encodeFileHeader(header);
    const encoder = new SsEncoder({ offset: 0, beaconInterval: header.beaconInterval, streams: [], markersWritten: 0 });
    encoder.#writeSplit(headerBytes, FILE_HEADER_BYTES, FILE_HEADER_BYTES);
    return encoder;
  }

  /** File offset after all that was appended so far. */
  get offset(): number {
    return this.#outOffset + this.#length;
  }

  /** Bytes appended and not yet taken. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** The state of (key, shard), for {@link append}: look it up once and keep it. Rejects an invalid key or shard. */
  stream(key: string, shard: number): StreamState {
    return this.#streams.get(key, shard);
  }

  /**
   * Appends one message, with its header frame if there are extras. The payload is copied.
   * `sequence` and `timestamp` are exact up to 2^53 − 1 as numbers, above that they must be bigints.
   */
  append(stream: StreamState, sequence: U64, timestamp: U64, payload: Uint8Array, extras?: MessageExtras): void {
    if (!Number.isSafeInteger(sequence) || sequence < 0) sequence = toU64(sequence);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) timestamp = toU64(timestamp);
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw new SsFormatError("message-too-large", `a payload of ${payload.length} bytes; a .ss file takes ${MAX_PAYLOAD_BYTES}`);
    }
    if (extras === undefined && stream.isSeen && this.#appendInPlace(stream, sequence, timestamp, payload)) return;
    const checksum = crc16(payload, 0, payload.length);
    if (extras !== undefined && hasExtras(extras)) {
      this.#writeHeaderFrame(stream.id, sequence, timestamp, checksum, extras);
    }
    if (!stream.isSeen) this.#see(stream);
    stream.advance(sequence, timestamp, checksum);
    this.#writeFrame(stream.id, sequence, timestamp, payload, checksum);
  }

  /** Appends the end-of-stream message. Its pseudo-stream takes part in later beacons like any other. */
  appendEos(timestamp: U64): void {
    this.append(this.#streams.get(INTERNAL_KEY, 0), 0, timestamp, EOS_PAYLOAD);
  }

  /** Hands over what was appended since the last call. The buffer is the caller's until it gives it back. */
  take(): EncodedBytes {
    if (this.#length === 0) return { offset: this.#outOffset, bytes: EMPTY };
    const taken = { offset: this.#outOffset, bytes: this.#out.subarray(0, this.#length) };
    this.#outOffset += this.#length;
    this.#beaconAt -= this.#length;
    this.#expectedBytes = Math.max(FIRST_BUFFER_BYTES, Math.min(this.#length + (this.#length >>> 2), MAX_KEPT_BUFFER_BYTES));
    this.#length = 0;
    this.#use(this.#spare ?? EMPTY);
    this.#spare = undefined;
    return taken;
  }

  /** Gives bytes from {@link take} back for reuse, once they are written. Optional: without it buffers are garbage. */
  recycle(taken: EncodedBytes): void {
    const { buffer } = taken.bytes;
    if (buffer.byteLength === 0 || buffer.byteLength > MAX_KEPT_BUFFER_BYTES) return;
    if (this.#spare === undefined || this.#spare.length < buffer.byteLength) this.#spare = Buffer.from(buffer);
  }

  /** A copy of the state after all that was appended, to go on from after a failure or in another process. */
  state(): EncoderState {
    return {
      offset: this.offset,
      beaconInterval: this.beaconInterval,
      streams: this.#streams.snapshots(),
      markersWritten: this.#rotation.counter,
    };
  }

  #see(stream: StreamState): void {
    stream.isSeen = true;
    this.#rotation.add(stream);
  }

  /** The quick way of most messages: no beacon falls due before the frame's end, so its bytes may be there before the state is. */
  #appendInPlace(stream: StreamState, sequence: U64, timestamp: U64, payload: Uint8Array): boolean {
    const { id } = stream;
    const end = this.#length + frameByteLength(id, payload.length);
    if (end >= this.#beaconAt) return false;
    this.#grow(end);
    const out = this.#out;
    const at = encodeFrameHead(out, this.#length, id, sequence, timestamp, payload.length);
    out.set(payload, at);
    const checksum = crc16OfView(this.#outView, at, at + payload.length);
    encodeFrameTail(out, at + payload.length, checksum);
    stream.advance(sequence, timestamp, checksum);
    this.#length = end;
    return true;
  }

  #writeHeaderFrame(id: StreamId, sequence: U64, timestamp: U64, checksum: number, extras: MessageExtras): void {
    const payload = encodeHeaderPayload({ streamKey: id.key, timestamp, checksum }, extras);
    // Not through a StreamState: header frames do not enter the markers of beacons.
    this.#writeFrame(createStreamId(INTERNAL_KEY, id.shard), sequence, timestamp, payload, crc16(payload));
  }

  #writeFrame(id: StreamId, sequence: U64, timestamp: U64, payload: Uint8Array, checksum: number): void {
    const size = frameByteLength(id, payload.length);
    let at = this.#length;
    if (at + size < this.#beaconAt) {
      this.#grow(at + size);
      at = encodeFrameHead(this.#out, at, id, sequence, timestamp, payload.length);
      this.#out.set(payload, at);
      this.#length = encodeFrameTail(this.#out, at + payload.length, checksum);
      return;
    }
    const scratch = this.#scratch;
    const head = encodeFrameHead(scratch, 0, id, sequence, timestamp, payload.length);
    this.#writeSplit(scratch, head, size);
    this.#writeSplit(payload, payload.length, size - head);
    const tail = encodeFrameTail(scratch, 0, checksum);
    this.#writeSplit(scratch, tail, tail);
  }

  /** Writes `bytes[0, length)` around the beacons. `remaining` counts the message's bytes from `bytes[0]` to its end. */
  #writeSplit(bytes: Uint8Array, length: number, remaining: number): void {
    for (let from = 0; from < length; ) {
      const part = Math.min(length - from, this.#beaconAt - this.#length);
      this.#grow(this.#length + part);
      this.#out.set(bytes.subarray(from, from + part), this.#length);
      this.#length += part;
      from += part;
      if (this.#length === this.#beaconAt) this.#writeBeacon(remaining - from);
    }
  }

  #writeBeacon(remaining: number): void {
    const markers = this.#rotation.next();
    this.#grow(this.#length + beaconByteLength(markers));
    this.#length = encodeBeacon(this.#out, this.#length, remaining, markers);
    this.#beaconAt += this.beaconInterval;
  }

  #grow(needBytes: number): void {
    if (needBytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needBytes, this.#out.length * 2, this.#expectedBytes));
    larger.set(this.#out.subarray(0, this.#length));
    this.#use(larger);
  }

  #use(buffer: Buffer): void {
    this.#out = buffer;
    this.#outView = viewOf(buffer);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
