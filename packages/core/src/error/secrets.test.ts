import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secrets } from "./secrets.ts";

const PASSWORD = `p/s$w "ö\\rd`;
const secrets = new Secrets([PASSWORD, ""]);

function withPassword(password: string): string {
  const url = new URL("http://user@h");
  url.password = password;
  return url.href;
}

describe("redacted text", () => {
  it.each([
    ["as it is", `WRONGPASS ${PASSWORD}`],
    ["percent-encoded as a component", `cannot reach redis://u:${encodeURIComponent(PASSWORD)}@h`],
    ["percent-encoded as URLs are", `cannot reach ${withPassword(PASSWORD)}`],
    ["percent-encoded in lower case", `cannot reach redis://u:${encodeURIComponent(PASSWORD).toLowerCase()}@h`],
    [
      "percent-encoded more than it needs to be",
      `cannot reach redis://u:${[...Buffer.from(PASSWORD)].map((byte) => `%${byte.toString(16)}`).join("")}@h`,
    ],
    ["as JSON", JSON.stringify({ auth: PASSWORD })],
  ])("has no password that stood there %s", (_how, text) => {
    expect(secrets.redact(text)).not.toContain("p/s$w");
    expect(secrets.redact(text)).not.toMatch(/%70|p%2fs|ö|rd/i);
    expect(secrets.redact(text)).toContain("***");
  });

  it("is left alone when there is nothing to hide", () => {
    expect(secrets.redact("100%25 of passwords are wrong: %zz")).toBe("100%25 of passwords are wrong: %zz");
    expect(new Secrets([]).redact("any %41 text")).toBe("any %41 text");
  });

  it("hides any password in any text", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3, unit: "grapheme" }), fc.string(), fc.string(), (password, before, after) => {
        fc.pre(!"*** (the text quotes a credential)".includes(password));
        expect(new Secrets([password]).redact(`${before}${password}${after}`)).not.toContain(password);
      }),
    );
  });
});

describe("a cleaned error", () => {
  it.each([
    ["text", new Error(`no: ${PASSWORD}`)],
    ["property", Object.assign(new Error("no"), { command: ["AUTH", PASSWORD] })],
    ["cause", new Error("no", { cause: new Error("inner", { cause: new Error(PASSWORD) }) })],
    ["errors", new AggregateError([new Error(PASSWORD)], "no")],
    ["map", Object.assign(new Error("no"), { options: new Map([["password", PASSWORD]]) })],
    ["set", Object.assign(new Error("no"), { options: new Set([PASSWORD]) })],
    ["name of a property", Object.assign(new Error("no"), { [PASSWORD]: 1 })],
    ["symbol's property", Object.assign(new Error("no"), { [Symbol("options")]: { auth: PASSWORD } })],
    ["bytes", Object.assign(new Error("no"), { frame: Buffer.from(`AUTH ${PASSWORD}\r\n`) })],
    [
      "nested deeper than anyone looks",
      Object.assign(new Error("no"), { a: { b: { c: { d: { e: { f: { g: { h: { i: { j: PASSWORD } } } } } } } } } }),
    ],
  ])("does not show a password that was in its %s", (_where, error) => {
    const clean = secrets.clean(error);
    expect(clean).not.toBe(error);
    expect(clean).toBeInstanceOf(Error);
    expect(inspect(clean, { depth: 20, showHidden: true })).not.toContain("p/s$w");
  });

  it("keeps name, code, and where it was thrown", () => {
    class ReplyError extends Error {
      override readonly name = "ReplyError";
      readonly code = "WRONGPASS";
    }
    const error = new ReplyError(`no ${PASSWORD}`);
    const clean = secrets.clean(error) as ReplyError;
    expect(clean).toMatchObject({ name: "ReplyError", code: "WRONGPASS", message: "no ***" });
    expect(clean.stack).toContain("secrets.test.ts");
  });

  it("is the very error when it shows nothing", () => {
    const error = Object.assign(new Error("no"), { list: [1, "two", null, undefined, Object.create(null)], self: undefined as unknown });
    error.self = error;
    expect(secrets.clean(error)).toBe(error);
    expect(secrets.clean(undefined)).toBeUndefined();
    expect(secrets.clean("text")).toBe("text");
  });

  it("is nothing where something else than an error shows a password", () => {
    expect(secrets.clean({ auth: PASSWORD })).toBeUndefined();
    expect(secrets.clean(PASSWORD)).toBeUndefined();
  });

  it("looks past undefined values and past throwing getters", () => {
    const hostile = Object.defineProperty(new Error("no"), "client", {
      get: () => {
        throw new Error("not now");
      },
    });
    expect(secrets.clean(hostile)).not.toBe(hostile);
    expect(secrets.clean(Object.assign(new Error("no"), { a: PASSWORD, b: undefined }))).toMatchObject({ message: "no" });
  });

  it("takes little time for an error that holds half the program", () => {
    const client: Record<string, unknown> = {};
    for (let i = 0; i < 300; i++) client[`socket${i}`] = { client, list: Array.from({ length: 300 }, (_, j) => ({ client, j })) };
    const startMs = performance.now();
    expect(secrets.clean(Object.assign(new Error("no"), { client }))).toMatchObject({ message: "no" });
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});
