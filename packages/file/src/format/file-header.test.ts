import { expect, test } from "vitest";
import { fixture, hex } from "../../test/fixtures/sample-files.ts";
import { beginsLikeSsFile, decodeFileHeader, encodeFileHeader } from "./file-header.ts";

const header = { fileName: "consumer-1691686154741", createdAt: 0x0189_e05a_31f6, beaconInterval: 1024 };

test("the header of a file by SeaStreamer is written byte for byte", () => {
  const bytes = encodeFileHeader(header);
  expect(hex(bytes)).toBe(hex(fixture("consumer.ss").subarray(0, 128)));
  expect(hex(bytes)).toBe(`53730116${hex(Buffer.from(header.fileName))}00000189e05a31f600000400${"00".repeat(89)}0d`);
});

test("the header of a file by SeaStreamer is read", () => {
  expect(decodeFileHeader(fixture("consumer.ss"))).toEqual(header);
  expect(decodeFileHeader(fixture("sample-1.ss"))).toMatchObject({ beaconInterval: 1024 * 1024 });
});

test("a name of 111 bytes fits, its length counted as UTF-8", () => {
  const longest = { ...header, fileName: `${"é".repeat(55)}x` };
  expect(decodeFileHeader(encodeFileHeader(longest))).toEqual(longest);
  expect(() => encodeFileHeader({ ...header, fileName: "é".repeat(56) })).toThrow(/^invalid-option: the file name "é+" has 112 bytes/);
});

test("a time of creation above 2^53 is exact", () => {
  const late = { ...header, createdAt: 0xffff_ffff_ffff_fffen };
  expect(decodeFileHeader(encodeFileHeader(late))).toEqual(late);
});

test.each([
  ["magic", 0, 0x54],
  ["magic", 1, 0x53],
  ["version", 2, 2],
  ["name length", 3, 112],
])("another %s is corrupt data", (_what, at, byte) => {
  const bytes = encodeFileHeader(header);
  bytes[at] = byte;
  expect(() => decodeFileHeader(bytes)).toThrow(/^corrupt-data: /);
});

test("readers check neither padding nor the last byte", () => {
  const bytes = encodeFileHeader(header);
  bytes.fill(7, 60);
  expect(decodeFileHeader(bytes)).toEqual(header);
});

test("an interval below 128 is refused on both ways", () => {
  expect(() => encodeFileHeader({ ...header, beaconInterval: 127 })).toThrow(/^invalid-option: /);
  const bytes = encodeFileHeader(header);
  bytes.set([0, 0, 0, 127], 12 + header.fileName.length);
  expect(() => decodeFileHeader(bytes)).toThrow(/^corrupt-data: /);
});

test("a header cut short is known by what is there of it", () => {
  expect(() => decodeFileHeader(encodeFileHeader(header).subarray(0, 127))).toThrow(/^corrupt-data: /);
  for (const length of [0, 1, 2, 3, 100]) expect(beginsLikeSsFile(encodeFileHeader(header).subarray(0, length))).toBe(true);
  expect(beginsLikeSsFile(Uint8Array.of(0x53, 0x74))).toBe(false);
});
