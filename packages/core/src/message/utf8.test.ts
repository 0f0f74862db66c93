import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

describe("UTF-8", () => {
  it("takes any text there and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const bytes = encodeUtf8(text);
        expect(bytes).toEqual(new TextEncoder().encode(text));
        expect(decodeUtf8(bytes)).toBe(text);
      }),
    );
  });

  it("keeps a byte order mark", () => {
    expect(decodeUtf8(encodeUtf8("\ufeffa"))).toBe("\ufeffa");
  });

  it("gives a plain Uint8Array, whose slice is a copy", () => {
    const bytes = encodeUtf8("abc");
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect(bytes.slice().buffer).not.toBe(bytes.buffer);
  });

  it("is undefined for bytes that are not UTF-8", () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
  });
});
