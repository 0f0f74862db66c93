import fc from "fast-check";
import { expect, test } from "vitest";
import { readU64, toU64, writeU64 } from "./big-endian.ts";

test("every unsigned 64-bit integer is written and read exactly", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 0xffff_ffff_ffff_ffffn), (value) => {
      const bytes = new Uint8Array(10);
      writeU64(bytes, 1, toU64(value));
      expect(Buffer.from(bytes).readBigUInt64BE(1)).toBe(value);
      expect(BigInt(readU64(bytes, 1))).toBe(value);
    }),
    { examples: [[0n], [0xffff_ffffn], [0x1_0000_0000n], [(1n << 53n) - 1n], [1n << 53n], [(1n << 63n) + 1n], [(1n << 64n) - 1n]] },
  );
});

test("a value has one representation: a number up to 2^53 − 1, a bigint above", () => {
  expect(toU64(5n)).toBe(5);
  expect(toU64(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
  expect(toU64(2n ** 53n)).toBe(2n ** 53n);
});

test.each([-1, 0.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n])("%s is refused as an unsigned 64-bit integer", (value) => {
  expect(() => toU64(value)).toThrow(/^invalid-option: /);
});
