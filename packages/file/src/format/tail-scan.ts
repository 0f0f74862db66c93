/**
 * What must be known of a file before it is appended to: where its last whole message ends, and the state of its streams.
 *
 * A file of moderate size is read whole. In a larger one the beacons are read, one small read each; if their markers
 * account for every stream (see `states-from-beacons.ts`) only the messages after the last usable beacon are, else again all.
 */

import { createBeaconReader, type ReadAt } from "./beacon-reader.ts";
import type { U64 } from "./big-endian.ts";
import type { SsProblem } from "./decoder-item.ts";
import type { SsDecoderOptions } from "./decoder-options.ts";
import { beginsLikeSsFile, decodeFileHeader, FILE_HEADER_BYTES, type FileHeader } from "./file-header.ts";
import { SsFormatError } from "./format-error.ts";
import { SsDecoder } from "./ss-decoder.ts";
import type { EncoderState } from "./ss-encoder.ts";
import { statesFromBeacons } from "./states-from-beacons.ts";
import { TailState } from "./tail-state.ts";

export interface TailScanOptions {
  /** Go on from what is known of the file: only what is behind it is read. Ignored if the file has become shorter. */
  readonly from?: EncoderState;
  /** Files up to this many bytes are always read whole. Default 16 MiB; Infinity: all files. */
  readonly readWholeUpToBytes?: number;
  /** As in {@link SsDecoderOptions}. */
  readonly maxPayloadBytes?: number;
}

export interface TailScan {
  /** Undefined if the file is empty or its header is cut short: then it is to be written anew from offset 0. */
  readonly header: FileHeader | undefined;
  /** Offset to cut the file to and to append at: after the last whole message, without an end-of-stream or an orphan header frame behind it. */
  readonly end: number;
  /** For the encoder that appends at `end`; undefined without a header. */
  readonly state: EncoderState | undefined;
  /** The end-of-stream message that ended the file. Those in the middle of the file are not told. */
  readonly eos: { readonly startOffset: number; readonly timestamp: U64 } | undefined;
  /** Bytes behind the last whole message (and end-of-stream), an orphan header frame included. */
  readonly tornBytes: number;
  /**
   * Whether the torn bytes are more than a message cut short: they cannot be made out, which a crash explains (a disk
   * that lost blocks), but a damaged length as well. Then whole messages may be among what a cut would take.
   */
  readonly isTailCorrupt: boolean;
  /** Damage met in the part that was read; the first 100. */
  readonly problems: readonly SsProblem[];
  /** Bytes from here on were decoded; what lies before was taken from beacons or from `from`. */
  readonly scannedFrom: number;
}

const CHUNK_BYTES = 1024 * 1024;
const READ_WHOLE_UP_TO_BYTES = 16 * 1024 * 1024;

/** Scans a file of `size` bytes. Throws `corrupt-data` for what is no `.ss` file: it must not be cut. */
export async function scanTail(read: ReadAt, size: number, options: TailScanOptions = {}): Promise<TailScan> {
  const head = await read(0, Math.min(size, FILE_HEADER_BYTES));
  if (head.length < FILE_HEADER_BYTES) {
    if (!beginsLikeSsFile(head)) {
      throw new SsFormatError(
        "corrupt-data",
        `not a .ss file: it has ${size} bytes and begins ${Buffer.from(head.subarray(0, 3)).toString("hex")}`,
      );
    }
    return {
      header: undefined,
      end: 0,
      state: undefined,
      eos: undefined,
      tornBytes: head.length,
      isTailCorrupt: false,
      problems: [],
      scannedFrom: 0,
    };
  }
  const header = decodeFileHeader(head);
  const { beaconInterval } = header;
  const { from, maxPayloadBytes } = options;
  if (from !== undefined && from.offset <= size && from.offset >= FILE_HEADER_BYTES) {
    return toScan(await followTail(read, size, from, false, maxPayloadBytes), header, size, from.offset);
  }
  if (size > (options.readWholeUpToBytes ?? READ_WHOLE_UP_TO_BYTES)) {
    const readBeacon = createBeaconReader(read, beaconInterval);
    // From the last beacon back: one with no message behind it (it splits the end-of-stream that is to go) is no start.
    for (const state of await statesFromBeacons(read, readBeacon, size, beaconInterval)) {
      const tail = await followTail(read, size, state, true, maxPayloadBytes);
      if (tail.hasMessages && !tail.isTailCorrupt) return toScan(tail, header, size, state.offset);
    }
  }
  const start: EncoderState = { offset: FILE_HEADER_BYTES, beaconInterval, streams: [], markersWritten: 0 };
  return toScan(await followTail(read, size, start, false, maxPayloadBytes), header, size, start.offset);
}

/** Decodes from a known state to the end of the file. `isAtBeacon`: the state is that of the markers of the beacon at its offset. */
async function followTail(
  read: ReadAt,
  size: number,
  from: EncoderState,
  isAtBeacon: boolean,
  maxPayloadBytes: number | undefined,
): Promise<TailState> {
  const options: SsDecoderOptions = { beacons: true, ...(maxPayloadBytes === undefined ? {} : { maxPayloadBytes }) };
  const decoder = new SsDecoder(from.beaconInterval, options);
  if (isAtBeacon) decoder.startAtBeacon(from.offset);
  else decoder.reset(from.offset);

  const tail = new TailState(from);
  for (let offset = from.offset; offset < size; ) {
    const chunk = await read(offset, Math.min(CHUNK_BYTES, size - offset));
    if (chunk.length === 0) break;
    decoder.push(chunk, offset);
    offset += chunk.length;
    takeAll(decoder, tail);
  }
  decoder.finish();
  takeAll(decoder, tail);
  return tail;
}

function takeAll(decoder: SsDecoder, tail: TailState): void {
  for (let item = decoder.next(); item !== undefined; item = decoder.next()) tail.take(item, decoder.wholeEnd);
}

function toScan(tail: TailState, header: FileHeader, size: number, scannedFrom: number): TailScan {
  const { end, eos, problems, isTailCorrupt } = tail;
  const wholeEnd = eos?.endOffset ?? end;
  return {
    header,
    end,
    state: tail.state(),
    eos: eos === undefined ? undefined : { startOffset: eos.startOffset, timestamp: eos.timestamp },
    tornBytes: Math.max(0, size - wholeEnd),
    isTailCorrupt,
    problems,
    scannedFrom,
  };
}
