import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertGroupName, escapeName } from "./group-name.ts";

describe("group and consumer names", () => {
  it.each(["a", "billing", "my group: ä/*.>", "host:r", "😀", "x".repeat(200)])("accepts %s", (name) => {
    expect(() => assertGroupName(name, "group")).not.toThrow();
  });

  it.each(["", "a\nb", "\u0000", "\u007f", "\u0085", "\ud800", "x".repeat(201), undefined, null, 7])("refuses %j", (name) => {
    expect(() => assertGroupName(name, "group")).toThrow(/^invalid-option: group .* 1 to 200 characters/);
  });

  it("does not show the name, which may come from a URL", () => {
    expect(() => assertGroupName("secret\n", "consumerName")).toThrow(/^(?!.*secret).*consumerName/s);
  });
});

describe("an escaped name", () => {
  const rules = { allowed: /[A-Za-z0-9_-]/, limit: 255 };

  it("leaves what is allowed and writes the rest as the bytes of its UTF-8", () => {
    expect(escapeName("billing-1", rules)).toBe("billing-1");
    expect(escapeName("a.b", rules)).toBe("a%2Eb");
    expect(escapeName("100%~ä", rules)).toBe("100%25%7E%C3%A4");
    expect(escapeName("a.b=", { ...rules, allowed: /[a-z=]/, escape: "=" })).toBe("a=2Eb=3D");
  });

  it("ends in ~ and a SHA-256 above the limit, cut between characters", () => {
    const escaped = escapeName("ä".repeat(200), { ...rules, limit: 100 });
    expect(escaped).toMatch(/^(%C3%A4){2}(%C3%A4)*~[0-9a-f]{64}$/);
    expect(escaped.length).toBeLessThanOrEqual(100);
    expect(escapeName("x".repeat(200), { ...rules, limit: 66 })).toMatch(/^x~[0-9a-f]{64}$/);
    expect(escapeName("x".repeat(66), { ...rules, limit: 66 })).toBe("x".repeat(66));
  });

  it("refuses rules that cannot be kept", () => {
    expect(() => escapeName("a", { ...rules, limit: 65 })).toThrow(TypeError);
    expect(() => escapeName("a", { ...rules, escape: "~" })).toThrow(TypeError);
    expect(() => escapeName("a", { ...rules, allowed: /a/g })).toThrow(TypeError);
    expect(() => escapeName("\udc00", rules)).toThrow(TypeError);
  });

  it("can be undone below the limit, so different names stay different", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (name) => {
        const escaped = escapeName(name, { ...rules, limit: 4_000 });
        expect(escaped).toMatch(/^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(escaped)).toBe(name);
      }),
    );
  });

  it("differs for different names above the limit, also for a name that is another's result", () => {
    const name = "é".repeat(60);
    const escaped = escapeName(name, { ...rules, limit: 80 });
    expect(escapeName(escaped, { ...rules, limit: 80 })).not.toBe(escaped);
    expect(escapeName(`${name}x`, { ...rules, limit: 80 })).not.toBe(escaped);
  });
});
