/**
 * Beacons: what stands at every file offset k × interval, so that a reader can start or resynchronise there.
 *
 * ```
 * 0D | u32 remaining | u8 count | count × marker | 0D
 * marker = u8 key length | key | u64 shard | u64 sequence | u64 timestamp ms | u16 running checksum
 * ```
 */

import { readU16, readU32, readU64, type U64, writeU16, writeU32, writeU64 } from "./big-endian.ts";
import type { StreamId } from "./stream-id.ts";
import type { StreamIdTable } from "./stream-id-table.ts";

const EMPTY_BEACON_BYTES = 7;
/** Key 249 or 255, either way within what the capacity formula reserves for a marker. */
const RESERVED_MARKER_BYTES = 282;
/** A marker without its key. */
const MARKER_BYTES = 27;

/** State of one stream, including the message that the beacon splits. */
export interface BeaconMarker {
  readonly id: StreamId;
  readonly sequence: U64;
  readonly timestamp: U64;
  readonly checksum: number;
}

export interface Beacon {
  /** Bytes of the message in progress that come after this beacon, beacons not counted. */
  readonly remaining: number;
  readonly markers: readonly BeaconMarker[];
  /** Bytes of the beacon itself. */
  readonly byteLength: number;
  /** False if lead or tail is not 0D although the rest can be read: use with doubt. */
  readonly isSound: boolean;
}

/** `short`: at least `needBytes` from the beacon's start are needed to go on. `corrupt`: its length cannot be told. */
export type BeaconFault = { readonly fault: "short"; readonly needBytes: number } | { readonly fault: "corrupt" };

/** How many markers a writer puts into one beacon at most: 0 below an interval of 571, 127 at 1 MiB. */
export function beaconCapacity(interval: number): number {
  return Math.floor(Math.min(255, Math.floor((interval - EMPTY_BEACON_BYTES) / RESERVED_MARKER_BYTES)) / 2);
}

export function beaconByteLength(markers: readonly BeaconMarker[]): number {
  let length = EMPTY_BEACON_BYTES;
  for (const marker of markers) length += marker.id.prefix.length + MARKER_BYTES - 9;
  return length;
}

/** Writes a beacon at `out[at]` (room must be there) and gives the index after it. */
export function encodeBeacon(out: Uint8Array, at: number, remaining: number, markers: readonly BeaconMarker[]): number {
  out[at] = 0x0d;
  writeU32(out, at + 1, remaining);
  out[at + 5] = markers.length;
  at += 6;
  for (const marker of markers) {
    out.set(marker.id.prefix, at);
    at += marker.id.prefix.length;
    writeU64(out, at, marker.sequence);
    writeU64(out, at + 8, marker.timestamp);
    writeU16(out, at + 16, marker.checksum);
    at += 18;
  }
  out[at] = 0x0d;
  return at + 1;
}

/** Reads the beacon at `bytes[at]`, of which `bytes[at, end)` is there. One that would not fit into `interval` is corrupt. */
export function decodeBeacon(bytes: Uint8Array, at: number, end: number, interval: number, ids: StreamIdTable): Beacon | BeaconFault {
  if (end - at < EMPTY_BEACON_BYTES) return { fault: "short", needBytes: EMPTY_BEACON_BYTES };
  const count = bytes[at + 5] as number;
  const markers: BeaconMarker[] = [];
  let next = at + 6;
  for (let i = 0; i < count; i++) {
    const keyLength = next < end ? (bytes[next] as number) : 1;
    // Every marker still to come has at least one byte of key, and the tail follows.
    const needBytes = next - at + MARKER_BYTES + keyLength + (count - i - 1) * (MARKER_BYTES + 1) + 1;
    if (needBytes > interval) return { fault: "corrupt" };
    if (end - at < needBytes) return { fault: "short", needBytes };
    const id = ids.find(bytes, next);
    if (id === undefined) return { fault: "corrupt" };
    next += keyLength + 9;
    markers.push({
      id,
      sequence: readU64(bytes, next),
      timestamp: readU64(bytes, next + 8),
      checksum: readU16(bytes, next + 16),
    });
    next += 18;
  }
  return {
    remaining: readU32(bytes, at + 1),
    markers,
    byteLength: next + 1 - at,
    isSound: bytes[at] === 0x0d && bytes[next] === 0x0d,
  };
}

export function isBeacon(read: Beacon | BeaconFault): read is Beacon {
  return !("fault" in read);
}
