import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { murmur2 } from "./murmur2.ts";

describe("murmur2", () => {
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("of %j is what Kafka's Java client says", (text, expected) => {
    expect(murmur2(new TextEncoder().encode(text))).toBe(expected);
  });

  it("depends on the bytes alone, not on where they lie in their buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(7), (bytes, offset) => {
        const elsewhere = new Uint8Array(bytes.length + 16);
        elsewhere.set(bytes, offset);
        expect(murmur2(elsewhere.subarray(offset, offset + bytes.length))).toBe(murmur2(bytes));
        expect(murmur2(bytes)).toBe(murmur2(bytes) | 0);
      }),
    );
  });
});
