import fc from "fast-check";
import { expect, test } from "vitest";
import { crc16, crc16OfView, crc16Step } from "./crc16.ts";

const text = (value: string) => Buffer.from(value, "latin1");

test.each([
  ["123456789", 0x4c06],
  ["hello, world", 0x8028],
  ["123456789abcd", 0xa106],
  ["", 0xffff],
  ["EOS", 0xed7c],
])("the checksum of %j is the published one", (value, checksum) => {
  expect(crc16(text(value))).toBe(checksum);
});

test("a range is checked as if it stood alone", () => {
  expect(crc16(text("xx123456789yy"), 2, 11)).toBe(0x4c06);
});

test("going on from a checksum equals the checksum of the whole", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, at) => {
      const cut = at % (bytes.length + 1);
      expect(crc16(bytes, cut, bytes.length, crc16(bytes, 0, cut))).toBe(crc16(bytes));
    }),
  );
});

test("the eight tables agree with the polynomial taken bit by bit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      let crc = 0xffff;
      for (const byte of bytes) {
        crc ^= byte << 8;
        for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0xc867) & 0xffff : (crc << 1) & 0xffff;
      }
      expect(crc16(bytes)).toBe(crc);
    }),
  );
});

test("a step of the running checksum feeds two big-endian bytes", () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), (running, checksum) => {
      expect(crc16Step(running, checksum)).toBe(crc16(Uint8Array.of(checksum >> 8, checksum & 0xff), 0, 2, running));
    }),
  );
});

test("through a view it is the same", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, at) => {
      const start = at % (bytes.length + 1);
      const inside = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
      expect(crc16OfView(new DataView(inside.buffer, inside.byteOffset, inside.length), start, inside.length)).toBe(crc16(bytes, start));
    }),
  );
});
