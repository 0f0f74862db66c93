import { describe, expect, it } from "vitest";
import { FakeFailure, fakeDriver } from "../../test/fake-driver.ts";
import { Secrets } from "./secrets.ts";
import { StreamError } from "./stream-error.ts";
import { ErrorWrapper } from "./wrap-error.ts";

const wrapper = new ErrorWrapper(fakeDriver(), new Secrets(["hunter2"]));

describe("a wrapped error", () => {
  it("has the driver's code, its own text, and its cause", () => {
    const cause = new FakeFailure("disk full", { code: "stream-full", advice: "trim it" });
    const error = wrapper.wrap(cause, { streamKey: "s", phase: "setup", what: "sending" });
    expect(error).toMatchObject({ code: "stream-full", retryable: false, backend: "fake", streamKey: "s", phase: "setup", cause });
    expect(error.message).toBe("stream-full: sending: disk full; trim it");
  });

  it("takes the fallback where the driver knows no better", () => {
    expect(wrapper.wrap(new Error("x"), { fallback: "connect-failed" }).code).toBe("connect-failed");
    expect(wrapper.wrap(new FakeFailure("x", { code: "auth-failed" }), { fallback: "connect-failed" }).code).toBe("auth-failed");
  });

  it("is wrapped once: a StreamError stays what it is, also one of another copy of the package", () => {
    const error = new StreamError("closed", "gone");
    expect(wrapper.wrap(error, { what: "sending" })).toBe(error);
    const foreign = Object.assign(new Error("closed: gone"), { name: "StreamError", code: "closed", retryable: false });
    expect(wrapper.wrap(foreign)).toBe(foreign);
  });

  it("shows no password in text or cause", () => {
    const error = wrapper.wrap(new Error("AUTH hunter2 refused"), { what: "connecting" });
    expect(error.message).toBe("backend: connecting: AUTH *** refused");
    expect(error.cause).toMatchObject({ message: "AUTH *** refused" });
    const known = wrapper.wrap(new StreamError("auth-failed", "hunter2 is wrong", { streamKey: "s", cause: new Error("hunter2") }));
    expect(known).toMatchObject({ code: "auth-failed", message: "auth-failed: *** is wrong", streamKey: "s" });
    expect(JSON.stringify(known.cause)).not.toContain("hunter2");
  });

  it.each([
    ["an error without a text", new RangeError(), "RangeError"],
    ["several errors in one", new AggregateError([new Error("one"), new Error("two")]), "one; two"],
    ["a text", "broken", "broken"],
    ["nothing", undefined, "undefined"],
    ["an object with a message", { message: "said so" }, "said so"],
    ["an object without a prototype", Object.create(null), "an object that is no error was thrown"],
    ["a symbol", Symbol("x"), "Symbol(x)"],
  ])("has a text for %s", (_what, thrown, text) => {
    expect(wrapper.wrap(thrown).message).toBe(`backend: ${text}`);
  });

  it("survives a driver that throws while it classifies", () => {
    const classifyError = (): never => {
      throw new Error("classify");
    };
    const hostile = new ErrorWrapper(fakeDriver({ classifyError }), new Secrets([]));
    expect(hostile.wrap(new Error("x"))).toMatchObject({ code: "backend", retryable: false, message: "backend: x" });
  });
});
