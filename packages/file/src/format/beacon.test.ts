import { expect, test } from "vitest";
import { fixture, hex } from "../../test/fixtures/sample-files.ts";
import { type Beacon, beaconByteLength, beaconCapacity, decodeBeacon, encodeBeacon } from "./beacon.ts";
import { createStreamId } from "./stream-id.ts";
import { StreamIdTable } from "./stream-id-table.ts";

const decode = (bytes: Uint8Array, interval = 1024) => decodeBeacon(bytes, 0, bytes.length, interval, new StreamIdTable());
const marker = { id: createStreamId("hello", 1), sequence: 20, timestamp: 0x0189_e05a_3215, checksum: 0x0b47 };
const golden = "0d00000027010568656c6c6f0000000000000001000000000000001400000189e05a32150b470d";

test.each([
  [128, 0],
  [570, 0],
  [571, 1],
  [640, 1],
  [1024, 1],
  [2048, 3],
  [4096, 7],
  [65536, 116],
  [1048576, 127],
  [2 ** 32 - 1, 127],
])("an interval of %i has room for %i markers", (interval, capacity) => {
  expect(beaconCapacity(interval)).toBe(capacity);
});

test("an empty beacon is seven bytes", () => {
  const out = new Uint8Array(7);
  expect(encodeBeacon(out, 0, 0, [])).toBe(7);
  expect(hex(out)).toBe("0d00000000000d");
});

test("a beacon by SeaStreamer is written byte for byte", () => {
  const out = new Uint8Array(beaconByteLength([marker]));
  expect(encodeBeacon(out, 0, 39, [marker])).toBe(39);
  expect(hex(out)).toBe(golden);
  expect(hex(fixture("consumer.ss").subarray(1024, 1063))).toBe(golden);
});

test.each([
  [1024, 39, 0x0b47],
  [2048, 44, 0xf128],
  [3072, 4, 0x59ea],
  [4096, 9, 0xf53d],
])("the beacon at %i of a file by SeaStreamer is read", (offset, remaining, checksum) => {
  const beacon = decodeBeacon(fixture("consumer.ss"), offset, 4830, 1024, new StreamIdTable()) as Beacon;
  expect(beacon).toMatchObject({ remaining, byteLength: 39, isSound: true });
  expect(beacon.markers).toMatchObject([{ id: { key: "hello", shard: 1 }, checksum }]);
});

test("a beacon that is not there whole says how many bytes are needed, never too many", () => {
  const bytes = Buffer.from(golden, "hex");
  for (let length = 0; length < bytes.length; length++) {
    const read = decode(bytes.subarray(0, length));
    expect(read).toMatchObject({ fault: "short" });
    const needBytes = "fault" in read && read.fault === "short" ? read.needBytes : 0;
    expect(needBytes).toBeGreaterThan(length);
    expect(needBytes).toBeLessThanOrEqual(bytes.length);
  }
});

test("a beacon with another lead or tail is read with doubt", () => {
  for (const at of [0, 38]) {
    const bytes = Buffer.from(golden, "hex");
    bytes[at] = 0x0c;
    expect(decode(bytes)).toMatchObject({ isSound: false, remaining: 39 });
  }
});

test("a beacon with an invalid key, or one that does not fit into the interval, is corrupt", () => {
  const badKey = Buffer.from(golden, "hex");
  badKey[7] = 0x20;
  expect(decode(badKey)).toEqual({ fault: "corrupt" });
  const tooMany = Buffer.from(golden, "hex");
  tooMany[5] = 200;
  expect(decode(tooMany)).toEqual({ fault: "corrupt" });
});

test("sequences and times above 2^53 are exact in markers", () => {
  const out = new Uint8Array(39);
  const late = { ...marker, sequence: 2n ** 64n - 1n, timestamp: 2n ** 53n };
  encodeBeacon(out, 0, 1, [late]);
  expect((decode(out) as Beacon).markers[0]).toMatchObject({ sequence: 2n ** 64n - 1n, timestamp: 2n ** 53n });
});
