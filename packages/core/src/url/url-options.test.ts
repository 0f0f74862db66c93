import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PORTABLE_OPTIONS } from "../connect/option-tables.ts";
import type { OptionTable } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import { optionsFromUrl, type UrlOptions } from "./url-options.ts";

const NATS: OptionTable = {
  connect: { token: "text", tls: "object", timeoutMs: "number" },
  producer: { replicas: "number" },
  send: { expectedSequence: "number" },
  consumer: { delivery: ["pull", "push"], subjects: "texts", memory: "boolean" },
  stream: { replicas: "number" },
};

function read(parameters: Record<string, string>): UrlOptions {
  return optionsFromUrl(new Map(Object.entries(parameters)), PORTABLE_OPTIONS, "nats", NATS);
}

describe("options from a URL", () => {
  it("have values of their kinds", () => {
    const { consumer } = read({
      mode: "load-balanced",
      group: "true",
      createStream: "false",
      maxPrefetchMessages: "10",
      keepAliveMs: "0.5",
    });
    expect(consumer).toEqual({ mode: "load-balanced", group: "true", createStream: false, maxPrefetchMessages: 10, keepAliveMs: 0.5 });
  });

  it("are set in every place that has them, but for send", () => {
    expect(read({ shards: "3", timeoutMs: "5", clientName: "x" })).toEqual({
      connect: { timeoutMs: 5, clientName: "x" },
      producer: { shards: 3, timeoutMs: 5 },
      send: {},
      consumer: { shards: 3, timeoutMs: 5 },
      stream: { shards: 3, timeoutMs: 5 },
    });
  });

  it("have the driver's under its name, named with or without it", () => {
    const expected = { nats: { delivery: "push" } };
    expect(read({ delivery: "push" }).consumer).toEqual(expected);
    expect(read({ "nats.delivery": "push" }).consumer).toEqual(expected);
    const all = read({ subjects: "a,b", memory: "true", "nats.replicas": "3" });
    expect(all.consumer).toEqual({ nats: { subjects: ["a", "b"], memory: true } });
    expect([all.producer, all.stream]).toEqual([{ nats: { replicas: 3 } }, { nats: { replicas: 3 } }]);
  });

  it("are core's where core and driver have a name, unless the driver is named", () => {
    expect(read({ timeoutMs: "5" }).connect).toEqual({ timeoutMs: 5 });
    expect(read({ timeoutMs: "5", "nats.timeoutMs": "6" }).connect).toEqual({ timeoutMs: 5, nats: { timeoutMs: 6 } });
  });

  it("take words where code may also give a function", () => {
    expect(read({ sharder: "round-robin" }).producer).toEqual({ sharder: "round-robin" });
    expect(() => read({ sharder: "x" })).toThrow(/^invalid-option: the parameter sharder must be one of "key-hash", "round-robin"$/);
  });

  it("are refused twice under two names", () => {
    expect(() => read({ delivery: "push", "nats.delivery": "pull" })).toThrow(
      "the parameters delivery and nats.delivery are the same option",
    );
  });

  it("are refused where they are for code or for send", () => {
    for (const name of ["codec", "signal", "onEvent", "tls", "nats.tls"])
      expect(() => read({ [name]: "x" })).toThrow("can only be given in code");
    for (const name of ["key", "messageId", "expectedSequence"])
      expect(() => read({ [name]: "1" })).toThrow(`${name} is given with each send`);
  });

  it.each([
    [{ createStream: "yes" }, "the parameter createStream must be true or false"],
    [{ createStream: "" }, "must be true or false"],
    [{ maxPrefetchMessages: "-1" }, "the parameter maxPrefetchMessages must be a number, 0 or more"],
    [{ maxPrefetchMessages: "1e3" }, "must be a number"],
    [{ maxPrefetchMessages: "" }, "must be a number"],
    [{ maxPrefetchMessages: "9".repeat(400) }, "must be a number"],
    [{ mode: "real" }, 'the parameter mode must be one of "real-time", "resumable", "load-balanced"'],
    [{ group: "" }, "the parameter group must be a text that is not empty"],
    [{ subjects: "a,,b" }, "the parameter subjects must be a list of texts, separated by commas"],
    [{ "nats.delivery": "x" }, "the parameter nats.delivery must be one of"],
  ])("%j: %s", (parameters: Record<string, string>, text) => {
    expect(() => read(parameters)).toThrow(text);
  });

  it("that are unknown are refused with what is known, and the nearest", () => {
    expect(() => read({ grop: "x" })).toThrow(
      /^invalid-option: the URL has an unknown parameter grop \(did you mean group\?\); known are clientName, .*, nats\.delivery, nats\.subjects, nats\.memory$/,
    );
    expect(() => read({ grop: "x" })).toThrow(/^(?!.*(codec|signal|tls|messageId))/);
    expect(() => read({ "redis.claimIdleMs": "1" })).toThrow("unknown parameter redis.claimIdleMs");
    expect(() => read({ "nats.nats.delivery": "push" })).toThrow("unknown parameter");
    for (const name of ["constructor", "nats.constructor", "__proto__"]) expect(() => read({ [name]: "x" })).toThrow(/^invalid-option/);
  });

  it("never show a value, nor a name that is not letters and dots", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.constantFrom("mode", "delivery", "group", "shards", "codec", "subjects", "no"),
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          name,
          fc.string().map((text) => `hunter2${text}`),
        ),
        (parameters) => {
          try {
            read(parameters);
          } catch (error) {
            expect(error).toBeInstanceOf(StreamError);
            expect(String(error)).not.toContain("hunter2");
            const odd = Object.keys(parameters).filter((one) => !/^[A-Za-z.]+$/.test(one) && one.length > 3);
            for (const one of odd) expect(String(error)).not.toContain(`parameter ${one}`);
          }
        },
      ),
    );
  });
});
