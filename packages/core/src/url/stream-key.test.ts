import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isStreamError } from "../error/stream-error.ts";
import {
  assertStreamKey,
  assertUsableStreamKey,
  INTERNAL_STREAM_KEY,
  isStreamKey,
  parseStreamKeys,
  WILDCARD_STREAM_KEY,
} from "./stream-key.ts";

describe("stream keys", () => {
  it.each(["a", "orders", "orders.eu.dlq", "A-b_C.9", "-", "_", "x".repeat(249), "broadcast"])("accepts %s", (key) => {
    expect(isStreamKey(key)).toBe(true);
    expect(() => assertStreamKey(key)).not.toThrow();
  });

  it.each(["", ".", "..", ".a", "a.", "a..b", "a b", "a/b", "a:b", "ä", "a\n", "\na", "a,b", "*", "x".repeat(250)])("refuses %j", (key) => {
    expect(isStreamKey(key)).toBe(false);
    expect(() => assertStreamKey(key)).toThrow(/^invalid-stream-key: .*A-Z a-z 0-9/);
  });

  it.each([undefined, null, 1, {}, ["a"]])("refuses %j, which is no text", (key) => {
    expect(() => assertStreamKey(key)).toThrow(/invalid-stream-key: a value of type/);
  });

  it("shows a mistaken key, but never one that looks like a URL", () => {
    expect(() => assertStreamKey("my orders")).toThrow('"my orders"');
    let text = "";
    try {
      assertStreamKey("redis://:hunter2@host/orders");
    } catch (error) {
      text = String(error);
    }
    expect(text).toContain("this is not a stream key");
    expect(text).not.toContain("hunter2");
  });

  it("lets nobody use the internal key, and nobody produce to the wildcard", () => {
    for (const use of ["produce", "consume"] as const) {
      expect(() => assertUsableStreamKey(INTERNAL_STREAM_KEY, use)).toThrow(/reserved/);
      expect(() => assertUsableStreamKey("orders", use)).not.toThrow();
    }
    expect(() => assertUsableStreamKey(WILDCARD_STREAM_KEY, "consume")).not.toThrow();
    expect(() => assertUsableStreamKey(WILDCARD_STREAM_KEY, "produce")).toThrow(/can only be consumed/);
  });

  it("says in which phase it was refused", () => {
    try {
      assertUsableStreamKey("a b", "produce", "running");
      expect.unreachable();
    } catch (error) {
      expect(isStreamError(error, "invalid-stream-key") && error.phase).toBe("running");
    }
  });

  it("splits a list at commas and refuses an empty entry", () => {
    expect(parseStreamKeys("")).toEqual([]);
    expect(parseStreamKeys("a")).toEqual(["a"]);
    expect(parseStreamKeys("a,b.c")).toEqual(["a", "b.c"]);
    for (const list of [",", "a,", ",a", "a,,b", "a, b"]) expect(() => parseStreamKeys(list)).toThrow(/invalid-stream-key/);
  });

  it("agrees with the rule as it is written, for any text", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("a", "Z", "0", ".", "_", "-", ",", " ") }));
    fc.assert(
      fc.property(text, (key) => {
        const allowed = /^[A-Za-z0-9._-]{1,249}$/.test(key) && !key.includes("\n") && key.split(".").every((part) => part !== "");
        expect(isStreamKey(key)).toBe(allowed);
      }),
    );
  });
});
