import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { bytes, type DecodeContext, json, text, textOrBytes } from "./codec.ts";
import { Headers } from "./headers.ts";

const context: DecodeContext = { streamKey: "orders", key: undefined, headers: Headers.EMPTY };
const utf8 = (given: string): Uint8Array => new TextEncoder().encode(given);

describe("bytes()", () => {
  it("passes bytes through and refuses anything else", () => {
    const payload = Uint8Array.of(1, 2);
    expect(bytes().encode(payload)).toBe(payload);
    expect(bytes().decode(payload, context)).toBe(payload);
    expect(() => bytes().encode("x" as never)).toThrow(/json\(\)/);
  });
});

describe("text()", () => {
  it("takes any well-formed text there and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (given) => {
        expect(text().decode(text().encode(given), context)).toBe(given);
      }),
    );
    expect(text().decode(utf8("\ufeffa"), context)).toBe("\ufeffa");
  });

  it("loses nothing silently", () => {
    expect(() => text().encode("\ud800")).toThrow(/surrogate/);
    expect(() => text().encode(1 as never)).toThrow(TypeError);
    expect(() => text().decode(Uint8Array.of(0xff), context)).toThrow("the payload is not UTF-8");
  });
});

describe("no codec", () => {
  it("takes text and bytes, and names json() for anything else", () => {
    expect(textOrBytes().encode("ä")).toEqual(utf8("ä"));
    expect(textOrBytes().encode(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    for (const value of [{}, [], 1, null, undefined, new Date()]) {
      expect(() => textOrBytes().encode(value as never)).toThrow(/^without a codec .* codec: json\(\)$/);
    }
  });
});

describe("json()", () => {
  it("takes any JSON there and back", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const wire = JSON.parse(JSON.stringify(value));
        expect(json().decode(json().encode(value), context)).toEqual(wire);
      }),
    );
  });

  it("refuses what JSON has no text for", () => {
    for (const value of [undefined, () => 1, Symbol("x")]) expect(() => json().encode(value)).toThrow(/JSON has no text for/);
    expect(() => json().encode(1n)).toThrow(TypeError);
  });

  it("refuses bytes that are not UTF-8 or not JSON", () => {
    expect(() => json().decode(Uint8Array.of(0x22, 0xff, 0x22), context)).toThrow("not UTF-8");
    expect(() => json().decode(utf8("{"), context)).toThrow(SyntaxError);
    expect(() => json().decode(new Uint8Array(), context)).toThrow(SyntaxError);
  });
});

const zodOrder = z.object({ id: z.number(), items: z.array(z.object({ sku: z.string() })).default([]) });
const valibotOrder = v.object({ id: v.number(), items: v.optional(v.array(v.object({ sku: v.string() })), []) });

describe.each([
  ["zod", json(zodOrder)],
  ["valibot", json(valibotOrder)],
])("json(schema) with %s", (_, codec) => {
  it("sends what was given and receives what the schema makes of it", () => {
    const payload = codec.encode({ id: 1 });
    expect(new TextDecoder().decode(payload)).toBe('{"id":1}');
    expect(codec.decode(payload, context)).toEqual({ id: 1, items: [] });
  });

  it("names the path of what does not fit, both ways", () => {
    expect(() => codec.encode({ id: 1, items: [{ sku: 2 }] } as never)).toThrow(/does not fit its schema: items\[0\]\.sku: /);
    expect(() => codec.decode(utf8('{"id":"1"}'), context)).toThrow(/^the payload does not fit its schema: id: /);
  });
});

describe("json(schema)", () => {
  it("applies a transformation once, at the receiver", () => {
    const codec = json(z.object({ at: z.string().transform((iso) => new Date(iso)) }));
    const received = codec.decode(codec.encode({ at: "2026-11-21T08:15:30Z" }), context);
    expect(received).toEqual({ at: new Date("2026-11-21T08:15:30Z") });
  });

  it("waits for an asynchronous schema when it receives, and says that it cannot when it sends", async () => {
    const codec = json(z.string().refine(async (given) => given !== "taken", "is taken"));
    await expect(codec.decode(utf8('"free"'), context)).resolves.toBe("free");
    await expect(codec.decode(utf8('"taken"'), context)).rejects.toThrow("does not fit its schema: is taken");
    expect(() => codec.encode("free")).toThrow(/asynchronously/);
    expect(() => codec.encode("taken")).toThrow(/asynchronously/);
  });

  it("lists a few issues, counts the rest, and gives all as the cause", () => {
    const codec = json(z.array(z.number()));
    try {
      void codec.decode(utf8(JSON.stringify(Array(8).fill("x"))), context);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(/: \[0\]: .*; \[4\]: .*; and 3 more$/);
      expect((error as Error).cause).toHaveLength(8);
    }
  });
});
