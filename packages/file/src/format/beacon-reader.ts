/** Reads single beacons of a file by their number, for searches that must not read what lies between. */

import { type Beacon, decodeBeacon, isBeacon } from "./beacon.ts";
import { StreamIdTable } from "./stream-id-table.ts";

/** Random access to a file. May give fewer bytes than asked for only at the file's end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** Beacon `index` stands at `index × interval`, index ≥ 1. Undefined if it is not there whole or is damaged. */
export type ReadBeacon = (index: number) => Promise<Beacon | undefined>;

/** Enough for a dozen markers; a longer beacon costs a second read. */
const FIRST_READ_BYTES = 512;

export function createBeaconReader(read: ReadAt, beaconInterval: number): ReadBeacon {
  const ids = new StreamIdTable();
  return async (index) => {
    const offset = index * beaconInterval;
    for (let length = Math.min(FIRST_READ_BYTES, beaconInterval); ; ) {
      const bytes = await read(offset, length);
      const beacon = decodeBeacon(bytes, 0, bytes.length, beaconInterval, ids);
      if (isBeacon(beacon)) return beacon.isSound ? beacon : undefined;
      if (beacon.fault === "corrupt" || bytes.length < length) return undefined;
      length = Math.min(beaconInterval, Math.max(beacon.needBytes, length * 8));
    }
  };
}
