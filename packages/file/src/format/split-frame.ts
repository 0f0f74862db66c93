/** Puts a frame together that beacons split, or finds out how many bytes are missing: the decoder's slow path. */

import { type Beacon, decodeBeacon, isBeacon } from "./beacon.ts";
import { readU32 } from "./big-endian.ts";
import { endsFrame, FRAME_HEAD_BYTES, FRAME_TAIL_BYTES, isPayloadRight } from "./message-frame.ts";
import type { StreamId } from "./stream-id.ts";
import type { StreamIdTable } from "./stream-id-table.ts";

/** A stretch of the file: `bytes[start, end)`, with the first beacon at or after `start` at index `beaconAt`. */
export interface FrameWindow {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly beaconAt: number;
  readonly beaconInterval: number;
  readonly maxPayloadBytes: number;
  /** Nothing comes after `end`, ever. */
  readonly isFinal: boolean;
}

/** A beacon in the window. */
interface PlacedBeacon {
  readonly at: number;
  readonly beacon: Beacon;
}

export type SplitFrame =
  /** At least `needBytes` from the start are needed to know more. */
  | { readonly kind: "short"; readonly needBytes: number }
  | { readonly kind: "corrupt"; readonly reason: string }
  | {
      readonly kind: "whole";
      readonly stream: StreamId;
      /** The frame without beacons, from `at`; a view of the window if no beacon splits it. */
      readonly bytes: Uint8Array;
      readonly at: number;
      readonly payloadBytes: number;
      /** Index in the window after the frame. */
      readonly end: number;
      readonly beacons: readonly PlacedBeacon[];
      /** Those of them that are damaged or say another length than the frame: believe the frame only by its checksum. */
      readonly doubtful: readonly PlacedBeacon[];
    };

/** Starts again from the frame's first byte at each call: what an incomplete frame costs is bounded by asking for `needBytes`. */
export function collectFrame(window: FrameWindow, ids: StreamIdTable): SplitFrame {
  const pieces = new FramePieces(window, ids);
  let missing = pieces.extendTo(1);
  if (missing !== undefined) return missing;
  const bodyAt = pieces.byteAt(0) + 9;
  missing = pieces.extendTo(bodyAt + FRAME_HEAD_BYTES);
  if (missing !== undefined) return missing;
  const head = pieces.join();
  const stream = ids.find(head.bytes, head.at);
  if (stream === undefined) return { kind: "corrupt", reason: "no valid stream key and shard where a message should begin" };
  const payloadBytes = readU32(head.bytes, head.at + bodyAt + 16);
  if (payloadBytes > window.maxPayloadBytes) {
    return { kind: "corrupt", reason: `a payload of ${payloadBytes} bytes is claimed, above the limit of ${window.maxPayloadBytes}` };
  }
  const total = bodyAt + FRAME_HEAD_BYTES + payloadBytes + FRAME_TAIL_BYTES;
  missing = pieces.extendTo(total);
  const against = pieces.beaconsAgainst(total);
  // One beacon against a frame may itself be the damaged one: the frame's checksum tells. Two are right,
  // and so is one if the frame cannot be read to its end ("a size that grew by a bit …" in ss-decoder-damage.test.ts).
  if (against.filter((placed) => placed.beacon.isSound).length >= (missing?.kind === "short" && window.isFinal ? 1 : 2)) {
    return { kind: "corrupt", reason: `a message of ${total} bytes is claimed, beacons in it say otherwise` };
  }
  if (missing !== undefined) {
    // With no beacon to contradict it, a size that grew by a bit looks like a torn tail: but then messages lie in it.
    if (window.isFinal && pieces.beacons.length === 0 && holdsMessage(window, ids)) {
      return { kind: "corrupt", reason: `a message of ${total} bytes is claimed, the file ends before, and whole messages lie in it` };
    }
    return missing;
  }
  const joined = pieces.join();
  return {
    kind: "whole",
    stream,
    bytes: joined.bytes,
    at: joined.at,
    payloadBytes,
    end: pieces.end,
    beacons: pieces.beacons,
    doubtful: against,
  };
}

/** Whether a whole message with a right checksum begins behind the window's first byte. */
function holdsMessage({ bytes, start, end, maxPayloadBytes }: FrameWindow, ids: StreamIdTable): boolean {
  // Bytes made to look like frames everywhere must not cost the square of their number.
  let budget = 16 * (end - start);
  for (let at = start + 1; at < end && budget > 0; at++) {
    const bodyAt = at + (bytes[at] as number) + 9;
    const restBytes = end - bodyAt - FRAME_HEAD_BYTES - FRAME_TAIL_BYTES;
    if (restBytes < 0) continue;
    const payloadBytes = readU32(bytes, bodyAt + 16);
    if (payloadBytes > maxPayloadBytes || payloadBytes > restBytes || !endsFrame(bytes, bodyAt, payloadBytes)) continue;
    if (ids.find(bytes, at) === undefined) continue;
    if (isPayloadRight(bytes, bodyAt, payloadBytes)) return true;
    budget -= payloadBytes;
  }
  return false;
}

/** The parts of a frame between beacons, as far as they are known. */
class FramePieces {
  readonly #window: FrameWindow;
  readonly #ids: StreamIdTable;
  readonly #ranges: { readonly from: number; readonly to: number }[] = [];
  readonly beacons: PlacedBeacon[] = [];
  /** How much of the frame came before the beacon of the same index. */
  readonly #lengthBefore: number[] = [];
  #length = 0;
  #beaconAt: number;
  /** Index after what is known. */
  end: number;

  constructor(window: FrameWindow, ids: StreamIdTable) {
    this.#window = window;
    this.#ids = ids;
    this.end = window.start;
    this.#beaconAt = window.beaconAt;
  }

  /** Goes on until `length` bytes of the frame are known; tells what hinders it. */
  extendTo(length: number): Exclude<SplitFrame, { kind: "whole" }> | undefined {
    const { bytes, start, end, beaconInterval } = this.#window;
    while (this.#length < length) {
      if (this.end === this.#beaconAt) {
        const beacon = decodeBeacon(bytes, this.end, end, beaconInterval, this.#ids);
        if (!isBeacon(beacon)) {
          if (beacon.fault === "corrupt") return { kind: "corrupt", reason: "a beacon inside a message cannot be read" };
          return { kind: "short", needBytes: this.end - start + beacon.needBytes };
        }
        this.beacons.push({ at: this.end, beacon });
        this.#lengthBefore.push(this.#length);
        this.end += beacon.byteLength;
        this.#beaconAt += beaconInterval;
        continue;
      }
      const part = Math.min(length - this.#length, this.#beaconAt - this.end, end - this.end);
      if (part <= 0) return { kind: "short", needBytes: this.end - start + length - this.#length };
      this.#ranges.push({ from: this.end, to: this.end + part });
      this.end += part;
      this.#length += part;
    }
    return undefined;
  }

  byteAt(index: number): number {
    const first = this.#ranges[0];
    return first === undefined ? 0 : (this.#window.bytes[first.from + index] as number);
  }

  beaconsAgainst(total: number): PlacedBeacon[] {
    return this.beacons.filter(
      ({ beacon }, index) => !beacon.isSound || (this.#lengthBefore[index] as number) + beacon.remaining !== total,
    );
  }

  /** What is known so far as one stretch. */
  join(): { readonly bytes: Uint8Array; readonly at: number } {
    const { bytes, start } = this.#window;
    if (this.beacons.length === 0) return { bytes, at: start };
    const joined = Buffer.allocUnsafeSlow(this.#length);
    let at = 0;
    for (const { from, to } of this.#ranges) {
      joined.set(bytes.subarray(from, to), at);
      at += to - from;
    }
    return { bytes: joined, at: 0 };
  }
}
