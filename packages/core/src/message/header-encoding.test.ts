import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesFromJson,
  bytesToJson,
  decodeHeaderValue,
  encodeHeaderValue,
  headersFromJson,
  headersToJson,
  isOneTrimmedLine,
  oneLine,
} from "./header-encoding.ts";
import type { HeaderEntries } from "./header-entries.ts";
import { headerValueOf } from "./headers.ts";

const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", " ", "\r", "\n", "\t", "\u00a0", "\0", ":") }),
  fc.string().map((text) => `seaway-b64:${text}`),
  fc.uint8Array().map(headerValueOf),
);

describe("a header's value in a line", () => {
  it.each(["", "text", "ä 😀", "a: b", "tab\tinside", "seaway-b64"])("is itself if it can be: %j", (text) => {
    expect(encodeHeaderValue(text)).toBe(text);
  });

  it.each([
    ["a\nb", "seaway-b64:YQpi"],
    [" a", "seaway-b64:IGE="],
    ["a\t", "seaway-b64:YQk="],
    ["seaway-b64:YQ==", "seaway-b64:c2Vhd2F5LWI2NDpZUT09"],
    ["seaway-b64:", "seaway-b64:c2Vhd2F5LWI2NDo="],
    [Uint8Array.of(255), "seaway-b64:/w=="],
  ])("is base64 behind the marker if not: %j", (given, written) => {
    expect(encodeHeaderValue(given)).toBe(written);
    expect(decodeHeaderValue(written)).toEqual(given);
  });

  it("is read exactly as it was given, whatever it is", () => {
    fc.assert(
      fc.property(value, (given) => {
        const line = encodeHeaderValue(given);
        expect(isOneTrimmedLine(line)).toBe(true);
        expect(decodeHeaderValue(line)).toEqual(given);
      }),
    );
  });

  it("goes by what the backend carries, if that is told", () => {
    const asciiOnly = (text: string): boolean => /^[ -~]*$/.test(text);
    expect(encodeHeaderValue(" a ", asciiOnly)).toBe(" a ");
    expect(encodeHeaderValue("ä", asciiOnly)).toBe("seaway-b64:w6Q=");
    expect(encodeHeaderValue("seaway-b64:x", () => true)).toMatch(/^seaway-b64:c2/);
  });

  it.each(["seaway-b64:*", "seaway-b64:abc", "seaway-b64:a===", "seaway-b64:YQ==YQ=="])(
    "is taken as it is where someone else wrote %s",
    (text) => {
      expect(decodeHeaderValue(text)).toBe(text);
    },
  );
});

describe("headers in JSON", () => {
  it("are pairs, with base64 for what is not UTF-8", () => {
    const entries: HeaderEntries = [
      ["a", "ä\n"],
      ["b", Uint8Array.of(255)],
      ["a", ""],
    ];
    expect(JSON.stringify(headersToJson(entries))).toBe('[["a","ä\\n"],["b",{"b64":"/w=="}],["a",""]]');
    expect(headersFromJson([["b", { b64: "YQ==" }]])).toEqual([["b", "a"]]);
    expect(bytesToJson(new TextEncoder().encode("key"))).toBe("key");
    expect(bytesFromJson({ b64: "/w==" })).toEqual(Uint8Array.of(255));
  });

  it("are read exactly as they were given", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), value)), (entries) => {
        expect(headersFromJson(JSON.parse(JSON.stringify(headersToJson(entries))))).toEqual(entries);
      }),
    );
  });

  it.each([
    null,
    {},
    "x",
    [1],
    [["a"]],
    [["a", "b", "c"]],
    [[1, "b"]],
    [["a", 1]],
    [["a", null]],
    [["a", { b64: 1 }]],
    [["a", { b64: "*" }]],
  ])("of the form %j are an error", (json) => {
    expect(() => headersFromJson(json)).toThrow(/^(headers are|a header is|a value is)/);
  });

  it("of any JSON are headers or an error", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          for (const [name, one] of headersFromJson(json)) expect([typeof name, one !== undefined]).toEqual(["string", true]);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe("an error's text on one line", () => {
  it("has no line breaks, control characters or outer blanks", () => {
    expect(oneLine(" a\r\n\tb\u2028c\u0000d\u0085 ")).toBe("a b c d");
  });

  it("is cut at 1 KiB, with an ellipsis, between characters", () => {
    const cut = oneLine("😀\n".repeat(100_000));
    expect(new TextEncoder().encode(cut).length).toBeLessThanOrEqual(1024);
    expect(cut).toMatch(/^(?:😀 )+(?:😀)?…$/u);
    expect(oneLine("x".repeat(1024))).toBe("x".repeat(1024));
    expect(oneLine("x".repeat(1025))).toBe(`${"x".repeat(1021)}…`);
  });

  it("keeps to any limit, for any text, and can be carried by any backend", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.integer({ min: 1, max: 100 }), (text, maxBytes) => {
        const line = oneLine(`${text}\ud800`, maxBytes);
        expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(maxBytes);
        expect(line.isWellFormed()).toBe(true);
        expect(/[\r\n\0]/.test(line)).toBe(false);
      }),
    );
  });
});
