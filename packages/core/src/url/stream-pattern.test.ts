import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INTERNAL_STREAM_KEY } from "./stream-key.ts";
import { compilePattern } from "./stream-pattern.ts";

describe("a pattern of stream keys", () => {
  it.each([
    ["orders", "orders", true],
    ["orders", "orders.eu", false],
    ["*", "orders", true],
    ["*", "orders.eu", false],
    ["orders.*", "orders.eu", true],
    ["orders.*", "orders", false],
    ["orders.*", "orders.eu.dlq", false],
    ["*.dlq", "orders.dlq", true],
    ["*.dlq", "orders.eu", false],
    ["a.*.c", "a.b.c", true],
    ["a.*.c", "a.b.d", false],
    ["**", "orders", true],
    ["**", "orders.eu.dlq", true],
    ["orders.**", "orders", false],
    ["orders.**", "orders.eu", true],
    ["orders.**", "orders.eu.dlq", true],
    ["orders.**", "ordersx.eu", false],
    ["*.**", "orders", false],
    ["*.**", "orders.eu.dlq", true],
  ])("%s on %s is %s", (pattern, key, expected) => {
    expect(compilePattern(pattern)(key)).toBe(expected);
  });

  it.each(["", ".", "a.", "ord*", "**.a", "a.**.b", "***", "a b", ">", "x".repeat(250)])("refuses %j", (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(/^invalid-stream-key: .*\* for one part/);
  });

  it("never matches the internal key", () => {
    for (const pattern of ["**", "*", INTERNAL_STREAM_KEY]) expect(compilePattern(pattern)(INTERNAL_STREAM_KEY)).toBe(false);
  });

  it("agrees with a regular expression built from it, for any key", () => {
    const part = fc.constantFrom("a", "b", "c", "orders");
    const pattern = fc
      .tuple(fc.array(fc.oneof(part, fc.constant("*")), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([parts, rest]) => (rest ? [...parts, "**"] : parts));
    const key = fc.array(part, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(pattern, key, (patternParts, keyParts) => {
        const source = patternParts.map((text) => (text === "**" ? ".+" : text === "*" ? "[^.]+" : text)).join("\\.");
        const expected = new RegExp(`^${source}$`).test(keyParts.join("."));
        expect(compilePattern(patternParts.join("."))(keyParts.join("."))).toBe(expected);
      }),
    );
  });
});
