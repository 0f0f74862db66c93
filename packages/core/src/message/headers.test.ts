import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Headers, headerEntriesOf, headerValueOf } from "./headers.ts";

const BINARY = Uint8Array.of(0xff, 0x00, 0x80);

describe("headers as they are read", () => {
  const headers = new Headers([
    ["a", "1"],
    ["b", BINARY],
    ["a", ""],
  ]);

  it("give the first value, all values, and whether there is one", () => {
    expect(headers.get("a")).toBe("1");
    expect(headers.getAll("a")).toEqual(["1", ""]);
    expect(headers.getAll("c")).toEqual([]);
    expect([headers.has("b"), headers.has("B"), headers.has("c")]).toEqual([true, false, false]);
    expect(headers.get("A")).toBeUndefined();
  });

  it("are iterated in order, repeated names included", () => {
    expect(headers.size).toBe(3);
    expect([...headers]).toEqual([
      ["a", "1"],
      ["b", BINARY],
      ["a", ""],
    ]);
  });

  it("have their plain form", () => {
    expect(headers.entries[1]).toEqual(["b", BINARY]);
  });

  it("can be looked at", () => {
    expect(inspect(headers)).toContain("Headers [ [ 'a', '1' ]");
    expect(Headers.EMPTY.size).toBe(0);
  });
});

describe("headers as they are sent", () => {
  it("become entries in order", () => {
    expect(headerEntriesOf({ "content-type": "text/csv", tag: ["x", "y", BINARY], none: [], missing: undefined, empty: "" })).toEqual([
      ["content-type", "text/csv"],
      ["tag", "x"],
      ["tag", "y"],
      ["tag", BINARY],
      ["empty", ""],
    ]);
    expect(headerEntriesOf({})).toEqual([]);
  });

  it("are text where bytes spell one, so that identity goes by bytes", () => {
    expect(headerEntriesOf({ a: new TextEncoder().encode("\ufeffä") })).toEqual([["a", "\ufeffä"]]);
    expect(headerValueOf(BINARY)).toBe(BINARY);
  });

  it("can be those of a received message, whose reserved ones stay behind", () => {
    const received = new Headers([
      ["a", "1"],
      ["seaway-dead-letter-reason", "x"],
      ["a", "2"],
    ]);
    expect(headerEntriesOf(received)).toEqual([
      ["a", "1"],
      ["a", "2"],
    ]);
  });

  it.each(["", "a:b", "a b", "ä", "a\n", "\u007f", "x".repeat(257)])("refuse the name %j", (name) => {
    expect(() => headerEntriesOf({ [name]: "x" })).toThrow(TypeError);
  });

  it.each(["a", "!#$~", "Content-Type", "x".repeat(256), "Seaway-x", "seaway"])("take the name %s", (name) => {
    expect(headerEntriesOf({ [name]: "x" })).toEqual([[name, "x"]]);
  });

  it("refuse reserved names", () => {
    expect(() => headerEntriesOf({ "seaway-key": "x" })).toThrow(/Seaway's own/);
  });

  it.each([[1], [null], [{}], [["a", 1]], [true], [new ArrayBuffer(1)]])("refuse the value %j", (value) => {
    expect(() => headerEntriesOf({ a: value as never })).toThrow(/^a value of the header "a" is text or bytes/);
  });

  it("refuse half of a surrogate pair", () => {
    expect(() => headerEntriesOf({ a: "x\ud800" })).toThrow(/surrogate/);
  });

  it.each([[[["a", "b"]]], [new Map()], ["a"], [null], [new globalThis.Headers()]])("are not %j", (input) => {
    expect(() => headerEntriesOf(input as never)).toThrow(/an object of names and values/);
  });

  it("refuse a name exactly when it is not 1 to 256 visible ASCII characters without a colon", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 1 })), (name) => {
        const allowed = name.length >= 1 && name.length <= 256 && [...name].every((one) => one > " " && one < "\u007f" && one !== ":");
        if (allowed) expect(headerEntriesOf({ [name]: "" })).toEqual([[name, ""]]);
        else expect(() => headerEntriesOf({ [name]: "" })).toThrow(TypeError);
      }),
    );
  });
});
