/**
 * Where to start reading for a seek: a bisection over the beacons of a file.
 *
 * A beacon's marker says the greatest sequence and time of its stream up to and including the message it splits, so the
 * last beacon whose marker is still below the target has everything wanted behind it. A beacon without a marker for the
 * stream is undecided (its turn in the rotation had not come, or its writer had not seen the stream): it says nothing,
 * not even that the stream has no messages before it, since SeaStreamer's markers cover one session only.
 *
 * Cost: with a marker in every beacon at most log2(beacons) + 2 reads. Undecided beacons cost more: a few neighbours
 * are tried (a rotation names each stream again within streams ÷ capacity beacons), then both halves are searched.
 * A budget of (log2(beacons) + 2)² reads ends that; the result then is earlier in the file than need be, never too late.
 */

import { type Beacon, beaconCapacity } from "./beacon.ts";
import type { ReadBeacon } from "./beacon-reader.ts";
import type { U64 } from "./big-endian.ts";
import { FILE_HEADER_BYTES } from "./file-header.ts";

/** Messages of one (key, shard) with `sequence ≥ fromSequence`, or later than `afterTimestamp` (ms). */
export type SeekTarget = { readonly streamKey: string; readonly shard: number } & (
  | { readonly fromSequence: U64 }
  | { readonly afterTimestamp: U64 }
);

export interface SeekStart {
  /** File offset for `SsDecoder.startAtBeacon`: of a beacon, or of the first message. */
  readonly offset: number;
  /** No wanted message begins before this offset; between `offset` and it lie only header frames that may be needed. */
  readonly wantedOffset: number;
  readonly beaconReads: number;
}

/** How many beacons after an undecided one are tried before the search goes elsewhere. */
const NEIGHBOURS = 8;

/** Finds the start for a file whose beacons 1 to `beaconCount` are there. */
export async function findSeekStart(
  target: SeekTarget,
  beaconCount: number,
  beaconInterval: number,
  readBeacon: ReadBeacon,
): Promise<SeekStart> {
  const search = new BeaconSearch(target, beaconCount, beaconInterval, readBeacon);
  const before = beaconCapacity(beaconInterval) === 0 ? 0 : await search.lastBefore(1, beaconCount + 1);
  const offset = await search.startForHeaders(before);
  return { offset, wantedOffset: Math.max(FILE_HEADER_BYTES, before * beaconInterval), beaconReads: search.reads };
}

class BeaconSearch {
  readonly #target: SeekTarget;
  readonly #interval: number;
  readonly #capacity: number;
  readonly #readBeacon: ReadBeacon;
  readonly #budget: number;
  readonly #seen = new Map<number, Beacon | undefined>();
  reads = 0;

  constructor(target: SeekTarget, beaconCount: number, beaconInterval: number, readBeacon: ReadBeacon) {
    this.#target = target;
    this.#interval = beaconInterval;
    this.#capacity = beaconCapacity(beaconInterval);
    this.#readBeacon = readBeacon;
    this.#budget = Math.ceil(Math.log2(beaconCount + 1) + 2) ** 2;
  }

  /** The last beacon in [from, to) known to lie before everything wanted; 0 if none is. */
  async lastBefore(from: number, to: number): Promise<number> {
    if (from >= to || this.reads >= this.#budget) return 0;
    const middle = (from + to) >>> 1;
    let at = middle;
    for (; at < to && this.reads < this.#budget; at++) {
      const beacon = await this.#read(at);
      const isBefore = this.#isBefore(beacon);
      if (isBefore === true) return (await this.lastBefore(at + 1, to)) || at;
      if (isBefore === false) return await this.lastBefore(from, middle);
      // With room for more markers it named all streams its writer knew: the neighbours will be undecided as well.
      const namesAll = beacon !== undefined && beacon.markers.length < this.#capacity;
      if (namesAll || at - middle >= NEIGHBOURS) break;
    }
    return (await this.lastBefore(at + 1, to)) || (await this.lastBefore(from, middle));
  }

  /**
   * The offset to start at so that no header frame is missed: that of the first wanted message may lie before its beacon,
   * so one beacon earlier, or as many as it takes until what stands at the beacon began after the earlier one.
   */
  async startForHeaders(index: number): Promise<number> {
    for (let at = index - 1; at > 0; at--) {
      const beacon = await this.#read(at);
      if (beacon !== undefined && beacon.remaining < this.#interval - beacon.byteLength) return at * this.#interval;
    }
    return FILE_HEADER_BYTES;
  }

  async #read(index: number): Promise<Beacon | undefined> {
    if (this.#seen.has(index)) return this.#seen.get(index);
    this.reads++;
    const beacon = await this.#readBeacon(index);
    this.#seen.set(index, beacon);
    return beacon;
  }

  #isBefore(beacon: Beacon | undefined): boolean | undefined {
    const { streamKey, shard } = this.#target;
    const marker = beacon?.markers.find(({ id }) => id.key === streamKey && id.shard === shard);
    if (marker === undefined) return undefined;
    if ("fromSequence" in this.#target) return marker.sequence < this.#target.fromSequence;
    return marker.timestamp <= this.#target.afterTimestamp;
  }
}
