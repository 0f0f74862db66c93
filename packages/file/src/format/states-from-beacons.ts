/**
 * Stream states out of the beacons of a large file, without reading its messages.
 *
 * Trusted only if nothing speaks against it: every beacon can be read and had room for more markers than it has, so that it
 * names all streams its writer knew; none names fewer streams or lower sequences than the one before; and the first names
 * all streams of the messages before it. A file that SeaStreamer appended to usually fails this (its markers cover the
 * streams seen since); what could slip through is a stream whose only messages stand between the last beacon before such
 * an append and its start. Who must exclude that reads the file whole (`readWholeUpToBytes: Infinity`).
 */

import type { Beacon, BeaconMarker } from "./beacon.ts";
import { beaconCapacity } from "./beacon.ts";
import type { ReadAt, ReadBeacon } from "./beacon-reader.ts";
import { FILE_HEADER_BYTES } from "./file-header.ts";
import { SsDecoder } from "./ss-decoder.ts";
import type { EncoderState } from "./ss-encoder.ts";

/** How many beacons from the end are offered as a start. */
const MAX_STARTS = 4;
const CHUNK_BYTES = 1024 * 1024;

/** States at the last few beacons that can be started from, the last first. Empty if the markers cannot be trusted. */
export async function statesFromBeacons(
  read: ReadAt,
  readBeacon: ReadBeacon,
  size: number,
  beaconInterval: number,
): Promise<EncoderState[]> {
  const capacity = beaconCapacity(beaconInterval);
  const starts: EncoderState[] = [];
  let before: Beacon | undefined;
  let markersWritten = 0;
  for (let offset = beaconInterval; offset < size; offset += beaconInterval) {
    const beacon = await readBeacon(offset / beaconInterval);
    if (beacon === undefined && size - offset < beaconInterval) break; // the file may end inside this one
    if (beacon === undefined || beacon.markers.length >= capacity) return [];
    if (before === undefined) {
      if (!(await namesStreamsBefore(read, beacon, beaconInterval))) return [];
    } else if (!continues(before, beacon)) return [];
    // A message that goes on beyond the file's end is torn: its beacons count it already.
    if (offset + beacon.byteLength + beacon.remaining < size) {
      starts.unshift(stateAt(offset, beaconInterval, beacon, markersWritten));
      if (starts.length > MAX_STARTS) starts.pop();
    }
    before = beacon;
    markersWritten += beacon.markers.length;
  }
  return starts;
}

/** The markers include the message the beacon splits; the beacon's own markers are not in `markersWritten` yet. */
function stateAt(offset: number, beaconInterval: number, beacon: Beacon, markersWritten: number): EncoderState {
  const streams = beacon.markers.map(({ id, sequence, timestamp, checksum }) => ({
    key: id.key,
    shard: id.shard,
    sequence,
    timestamp,
    checksum,
  }));
  return { offset, beaconInterval, streams, markersWritten };
}

/** Whether `after` names every stream of `before`, none with a lower sequence or time. */
function continues(before: Beacon, after: Beacon): boolean {
  return before.markers.every((marker) => {
    const later = find(after, marker);
    return later !== undefined && later.sequence >= marker.sequence && later.timestamp >= marker.timestamp;
  });
}

async function namesStreamsBefore(read: ReadAt, beacon: Beacon, beaconInterval: number): Promise<boolean> {
  const decoder = new SsDecoder(beaconInterval);
  for (let offset = FILE_HEADER_BYTES; offset < beaconInterval; ) {
    const chunk = await read(offset, Math.min(CHUNK_BYTES, beaconInterval - offset));
    if (chunk.length === 0) return false;
    decoder.push(chunk, offset);
    offset += chunk.length;
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) {
      if (item.kind === "problem") return false;
      if (item.kind === "message" && find(beacon, { id: item.stream }) === undefined) return false;
    }
  }
  return decoder.lostSince === undefined;
}

function find(beacon: Beacon, { id }: Pick<BeaconMarker, "id">): BeaconMarker | undefined {
  return beacon.markers.find((marker) => marker.id.key === id.key && marker.id.shard === id.shard);
}
