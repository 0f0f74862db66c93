import { describe, expect, it } from "vitest";
import type { Capabilities } from "../driver/capabilities.ts";
import { memoryDriver } from "../memory/driver.ts";
import { bytes, type Encoder, json } from "../message/codec.ts";
import { Headers } from "../message/headers.ts";
import { StreamerUri } from "../url/streamer-uri.ts";
import { Packer, type PackerOptions } from "./packer.ts";
import { OWN_HEADERS, type SendOptions } from "./producer-options.ts";

const ALL = memoryDriver.describe(new StreamerUri({ scheme: "memory" }));

function packerWith<T = string | Uint8Array>(options: Partial<PackerOptions<T>> = {}, capabilities: Partial<Capabilities> = {}): Packer<T> {
  return new Packer<T>({
    backend: "fake",
    codec: undefined,
    contentType: false,
    capabilities: { ...ALL, ...capabilities },
    checkSend: () => {},
    ...options,
  });
}

const jsonWithType = { codec: json(), contentType: true };

describe("a payload", () => {
  it("is text as UTF-8, or the very bytes, without a codec", () => {
    const packer = packerWith();
    expect(packer.payload("ö", 10, "s")).toEqual(new Uint8Array([0xc3, 0xb6]));
    const own = new Uint8Array([1]);
    expect(packer.payload(own, 10, "s")).toBe(own);
  });

  it("that needs a codec is a TypeError that names json()", () => {
    expect(() => packerWith().payload({ id: 1 } as unknown as string, 10, "s")).toThrow(/^without a codec .*json\(\)/);
  });

  it("that the codec refuses is encode-failed, with the reason", () => {
    const codec: Encoder<number> = {
      encode: () => {
        throw new TypeError("not a whole number");
      },
    };
    expect(() => packerWith({ codec }).payload(1, 10, "s")).toThrow(
      expect.objectContaining({
        code: "encode-failed",
        message: expect.stringContaining("not a whole number"),
        backend: "fake",
        streamKey: "s",
        cause: expect.any(TypeError),
      }),
    );
  });

  it.each([
    ["text", (): unknown => "text"],
    ["a promise", (): unknown => Promise.reject(new Error("late"))],
    ["nothing", (): unknown => undefined],
  ])("for which a codec of the program's own gives %s is encode-failed", (_what, encode) => {
    const codec = { encode } as Encoder<unknown>;
    expect(() => packerWith({ codec }).payload(1, 10, "s")).toThrow(expect.objectContaining({ code: "encode-failed" }));
  });

  it("may be as large as the limit and not larger", () => {
    const packer = packerWith();
    expect(packer.payload("four", 4, "s")).toHaveLength(4);
    expect(() => packer.payload("fives", 4, "s")).toThrow(
      expect.objectContaining({
        code: "message-too-large",
        retryable: false,
        message: expect.stringMatching(/5 bytes, the limit is 4.*maxMessageBytes/),
      }),
    );
  });
});

describe("what a message has beside its payload", () => {
  it("is nothing for options that only address it", () => {
    expect(packerWith().extras({ shard: 1 }, false)).toBeUndefined();
    expect(packerWith().extras({ value: 1, streamKey: "s" } as SendOptions, true)).toBeUndefined();
    expect(packerWith().ownExtras).toBeUndefined();
  });

  it("is its key as bytes, id, time, and the driver's options", () => {
    const extras = packerWith().extras(
      { key: "ö", messageId: "m", timestampMs: 5, fake: { expected: 1 }, other: { x: 1 } } as SendOptions,
      false,
    );
    expect(extras).toEqual({
      key: new Uint8Array([0xc3, 0xb6]),
      messageId: "m",
      timestampMs: 5,
      headers: undefined,
      options: { expected: 1 },
      bytes: 3,
    });
    const key = new Uint8Array([1]);
    expect(packerWith().extras({ key }, false)?.key).toBe(key);
  });

  it.each([
    ["a number", 5],
    ["an object", {}],
    ["a list", [1]],
    ["half of a surrogate pair", "\ud800"],
  ])("cannot have %s for a key", (_what, key) => {
    expect(() => packerWith().extras({ key: key as string }, false)).toThrow(/^key /);
  });

  it.each(["", "\udc00", "seaway-7"])("cannot have the message id %j", (messageId) => {
    expect(() => packerWith().extras({ messageId }, false)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });

  it.each([1.5, 2 ** 53, Number.NaN, -1])("cannot have %d for a time", (timestampMs) => {
    expect(() => packerWith().extras({ timestampMs }, false)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});

describe("headers", () => {
  it("are a map of names with one value or several, or those of a received message without Seaway's own", () => {
    expect(packerWith().extras({ headers: { a: "1", b: ["2", "3"] } }, false)?.headers).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["b", "3"],
    ]);
    const received = new Headers([
      ["a", "1"],
      ["seaway-origin-stream", "s"],
    ]);
    expect(packerWith().extras({ headers: received }, false)?.headers).toEqual([["a", "1"]]);
    expect(packerWith().extras({ headers: {} }, false)?.headers).toBeUndefined();
  });

  it("have the codec's content type where contentType says so, unless the message has its own", () => {
    const packer = packerWith(jsonWithType);
    expect(packer.ownExtras?.headers).toEqual([["content-type", "application/json"]]);
    expect(packer.extras({ shard: 1 }, false)).toBe(packer.ownExtras);
    expect(packer.extras({ headers: { a: "1" } }, false)?.headers).toEqual([
      ["a", "1"],
      ["content-type", "application/json"],
    ]);
    expect(packer.extras({ headers: { "content-type": "x/y" } }, false)?.headers).toEqual([["content-type", "x/y"]]);
    expect(packer.extras({ key: "k" }, false)?.headers).toEqual([["content-type", "application/json"]]);
    expect(packerWith({ codec: json() }).ownExtras).toBeUndefined();
    expect(packerWith({ contentType: true }).ownExtras).toBeUndefined();
  });

  it("have the library's own behind the others, also reserved ones", () => {
    const own = [["seaway-origin-stream", "s"]] as const;
    expect(packerWith().extras({ [OWN_HEADERS]: own }, false)?.headers).toEqual(own);
    expect(packerWith().extras({ headers: { a: "1" }, [OWN_HEADERS]: own }, false)?.headers).toEqual([["a", "1"], ...own]);
  });

  it("count among the buffered bytes", () => {
    expect(packerWith().extras({ headers: { abc: "12345", d: new Uint8Array([0xff, 0xff]) } }, false)?.bytes).toBe(3 + 5 + 1 + 2);
  });
});

describe("what a backend has no place for is unsupported, with the reason", () => {
  it.each([
    ["keys", { key: "k" }],
    ["messageIds", { messageId: "m" }],
    ["headers", { headers: { a: "1" } }],
    ["headers", { [OWN_HEADERS]: [["seaway-origin-stream", "s"]] as const }],
  ])("%s", (ability, options) => {
    const packer = packerWith({}, { [ability]: false, reasons: { [ability]: "pipes have lines" } });
    expect(() => packer.extras(options, false)).toThrow(
      expect.objectContaining({ code: "unsupported", message: expect.stringContaining("on fake: pipes have lines") }),
    );
  });

  it("contentType, when the producer is made", () => {
    expect(() => packerWith(jsonWithType, { headers: false })).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(packerWith({ codec: bytes() }, { headers: false }).ownExtras).toBeUndefined();
  });

  it("not empty headers", () => {
    expect(packerWith({}, { headers: false }).extras({ headers: {} }, false)?.headers).toBeUndefined();
  });
});
