import { describe, expect, it } from "vitest";
import type { OptionTable } from "../driver/driver.ts";
import { isStreamError } from "../error/stream-error.ts";
import { checkFlatOptions, checkOptions, mergeOptions } from "./check-options.ts";
import { ENTRY_OPTIONS, PORTABLE_OPTIONS, RUN_OPTIONS } from "./option-tables.ts";

const NATS: OptionTable = {
  connect: { token: "text", tls: "object" },
  producer: {},
  send: { expectedSequence: "number" },
  consumer: { delivery: ["pull", "push"], ackWaitMs: "number", subjects: "texts", memory: "boolean" },
  stream: {},
};
const OTHERS = ["redis", "kafka"];

function check(scope: "connect" | "producer" | "send" | "consumer" | "stream", given: unknown): void {
  checkOptions(scope, given, PORTABLE_OPTIONS, "nats", NATS, OTHERS);
}

describe("options given in code", () => {
  it("may be absent or undefined", () => {
    check("consumer", undefined);
    check("consumer", {});
    check("consumer", { group: undefined, nats: undefined, unknown: undefined });
    check("consumer", { nats: { delivery: undefined, unknown: undefined } });
  });

  it("may have any known name with a value of its kind", () => {
    check("consumer", { mode: "load-balanced", group: "billing", createStream: false, maxPrefetchBytes: 0, codec: { decode() {} } });
    check("consumer", { nats: { delivery: "push", ackWaitMs: 1.5, subjects: ["a"], memory: true } });
    check("producer", { sharder: "key-hash", middleware: [] });
    check("producer", { sharder: () => 0 });
    check("connect", { onEvent: () => {}, drivers: [], signal: new AbortController().signal, nats: { token: "t", tls: {} } });
    check("send", { key: "k", headers: {}, timestampMs: 1, messageId: "m", shard: 0, nats: { expectedSequence: 3 } });
    check("send", { key: new Uint8Array() });
  });

  it("have value and stream among them in an entry of a bulk send, and only there", () => {
    for (const value of [null, 0, "x", {}]) checkOptions("send", { value, streamKey: "orders", key: "k" }, ENTRY_OPTIONS, "nats", NATS);
    expect(() => check("send", { streamKey: "orders" })).toThrow('send has no option "streamKey"');
    expect(() => check("send", { value: 1 })).toThrow('send has no option "value"');
  });

  it("leave the namespaces of other drivers alone", () => {
    check("consumer", { redis: { whatever: Number.NaN }, kafka: null });
  });

  it.each([null, 1, "x", [], () => 1])("are a TypeError as %j", (given) => {
    expect(() => check("producer", given)).toThrow(TypeError);
  });

  it("with an unknown name are refused, with the nearest one and all that are known", () => {
    expect(() => check("consumer", { grop: "x" })).toThrow(
      /^invalid-option: createConsumer has no option "grop" \(did you mean "group"\?\); it has mode, group, .*, and nats: \{ delivery, ackWaitMs, subjects, memory \}$/,
    );
    expect(() => check("consumer", { nats: { delivry: "push" } })).toThrow(
      'createConsumer: nats has no option "delivry" (did you mean "delivery"?); it has delivery, ackWaitMs, subjects, memory',
    );
    expect(() => check("producer", { nats: { x: 1 } })).toThrow("it has none here");
    expect(() => check("consumer", { stdio: {} })).toThrow(/has no option "stdio"/);
  });

  it("in the wrong place are told the right one", () => {
    expect(() => check("consumer", { delivery: "push" })).toThrow('"delivery" (it is nats: { delivery })');
    expect(() => check("producer", { group: "x" })).toThrow('"group" (it is an option of createConsumer)');
    expect(() => check("producer", { ackWaitMs: 1 })).toThrow("(it is nats: { ackWaitMs }, an option of createConsumer)");
  });

  it.each(["constructor", "toString", "hasOwnProperty"])("do not know %s", (name) => {
    expect(() => check("consumer", { [name]: () => 1 })).toThrow(/invalid-option/);
    expect(() => check("consumer", { nats: { [name]: () => 1 } })).toThrow(/invalid-option/);
  });

  it("do not know __proto__, as parsed JSON has it", () => {
    expect(() => check("consumer", JSON.parse('{"__proto__": 1}'))).toThrow(/invalid-option/);
  });

  it("reserve what no backend does yet", () => {
    for (const name of ["delayMs", "deliverAt", "ttlMs"]) expect(() => check("send", { [name]: 1 })).toThrow(/^unsupported: send: /);
  });

  it.each([
    [{ maxPrefetchMessages: Number.NaN }, "maxPrefetchMessages must be a number, 0 or more, not NaN"],
    [{ maxPrefetchMessages: -1 }, "not -1"],
    [{ maxPrefetchMessages: Number.POSITIVE_INFINITY }, "not Infinity"],
    [{ maxPrefetchMessages: "1" }, "maxPrefetchMessages must be a number, 0 or more"],
    [{ createStream: 1 }, "createStream must be true or false, not 1"],
    [{ group: 1 }, "group must be a text"],
    [{ group: null }, "group must be a text, not null"],
    [{ mode: "loadbalanced" }, 'mode must be one of "real-time", "resumable", "load-balanced" (did you mean "load-balanced"?)'],
    [{ until: "now" }, 'until must be "end"'],
    [{ codec: "json" }, "codec must be an object or a function"],
    [{ nats: { delivery: "pushed" } }, 'nats.delivery must be one of "pull", "push" (did you mean "push"?)'],
    [{ nats: { subjects: ["a", 1] } }, "nats.subjects must be a list of texts, not a list"],
    [{ nats: [] }, "nats must be an object of options, not a list"],
    [{ nats: true }, "nats must be an object of options"],
  ])("%j: %s", (given, text) => {
    expect(() => check("consumer", given)).toThrow(text);
  });

  it("of several kinds name all of them", () => {
    expect(() => check("producer", { sharder: "random" })).toThrow(
      'sharder must be one of "key-hash", "round-robin", or an object or a function',
    );
  });

  it("never show the text of a value", () => {
    for (const given of [{ group: 1, mode: "hunter2" }, { createStream: "hunter2" }, { nats: { ackWaitMs: "hunter2" } }]) {
      expect(() => check("consumer", { ...given, group: undefined })).toThrow(/^(?!.*hunter2)invalid-option/);
    }
    expect(() => check("consumer", { "redis://:hunter2@h": 1 })).toThrow(/^(?!.*hunter2)invalid-option/);
  });

  it("are refused in the phase that they belong to", () => {
    for (const [scope, phase] of [
      ["send", "running"],
      ["consumer", "setup"],
    ] as const) {
      try {
        check(scope, { wrong: 1 });
        expect.unreachable();
      } catch (error) {
        expect(isStreamError(error) && error.phase).toBe(phase);
      }
    }
  });

  it("of run are checked against a table of their own", () => {
    checkFlatOptions(undefined, RUN_OPTIONS, "run");
    checkFlatOptions({ concurrency: 4, orderBy: "key", deadLetter: true, signal: undefined }, RUN_OPTIONS, "run");
    checkFlatOptions({ deadLetter: { discard: true } }, RUN_OPTIONS, "run");
    expect(() => checkFlatOptions({ concurency: 4 }, RUN_OPTIONS, "run")).toThrow(
      'run has no option "concurency" (did you mean "concurrency"?)',
    );
    expect(() => checkFlatOptions({ concurrency: "4" }, RUN_OPTIONS, "run")).toThrow("run: concurrency must be a number");
  });
});

describe("options of URL and code together", () => {
  it("are code's where both have one, and undefined is none", () => {
    expect(mergeOptions({ group: "url", mode: "resumable" }, { group: "code", mode: undefined })).toEqual({
      group: "code",
      mode: "resumable",
    });
    expect(mergeOptions({ group: "url" }, undefined)).toEqual({ group: "url" });
  });

  it("have their namespaces merged one level deep", () => {
    const tls = { ca: "x" };
    const merged = mergeOptions(
      { nats: { delivery: "push", ackWaitMs: 1 } },
      { nats: { ackWaitMs: 2, delivery: undefined, tls }, redis: { a: 1 } },
    );
    expect(merged).toEqual({ nats: { delivery: "push", ackWaitMs: 2, tls }, redis: { a: 1 } });
    expect(Reflect.get(merged.nats as object, "tls")).toBe(tls);
  });

  it("leave what was given unchanged, and keep objects of the program as they are", () => {
    const fromUrl = { nats: { delivery: "push" } };
    const codec = new (class {
      decode = 1;
    })();
    const merged = mergeOptions(fromUrl, { codec, nats: { delivery: "pull" } });
    expect(merged.codec).toBe(codec);
    expect(fromUrl).toEqual({ nats: { delivery: "push" } });
  });
});
