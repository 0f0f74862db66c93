import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { turns } from "../../test/manual-clock.ts";
import { Secrets } from "../error/secrets.ts";
import type { StreamerEvent } from "./event.ts";
import { EventSink } from "./event-sink.ts";

const none = new Secrets([]);

describe("an event", () => {
  it("goes to the listener with the backend's name", () => {
    const events: StreamerEvent[] = [];
    const sink = new EventSink("fake", (event) => events.push(event), none);
    sink.publish({ code: "a", level: "info", message: "m" });
    sink.publish({ code: "b", level: "info", message: "m", backend: "other" });
    expect(events).toEqual([
      { code: "a", level: "info", message: "m", backend: "fake" },
      { code: "b", level: "info", message: "m", backend: "other" },
    ]);
  });

  it("shows no password, neither in its message nor in its error", () => {
    const events: StreamerEvent[] = [];
    const sink = new EventSink("fake", (event) => events.push(event), new Secrets(["hunter2"]));
    const harmless = new Error("gone");
    sink.publish({ code: "a", level: "warn", message: "AUTH hunter2", error: Object.assign(new Error("x"), { auth: "hunter2" }) });
    sink.publish({ code: "b", level: "warn", message: "m", error: harmless });
    expect(events[0]).toMatchObject({ message: "AUTH ***", error: { message: "x" } });
    expect(events[0]?.error).not.toHaveProperty("auth");
    expect(events[1]?.error).toBe(harmless);
  });
});

describe("seaway:error", () => {
  const seen: unknown[] = [];
  const listen = (event: unknown): void => void seen.push(event);
  afterEach(() => unsubscribe("seaway:error", listen));

  it("gets the events of level error, also when the program has no listener", () => {
    subscribe("seaway:error", listen);
    const sink = new EventSink("fake", undefined, none);
    sink.publish({ code: "lost", level: "error", message: "m" });
    sink.publish({ code: "slow", level: "warn", message: "m" });
    expect(seen).toEqual([{ code: "lost", level: "error", message: "m", backend: "fake" }]);
  });
});

describe("a listener that throws", () => {
  it("surfaces as an uncaught exception, and disturbs nobody here", async () => {
    const caught: unknown[] = [];
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => caught.push(error));
    try {
      const mistake = new Error("mistake");
      const sink = new EventSink(
        "fake",
        () => {
          throw mistake;
        },
        none,
      );
      expect(() => sink.publish({ code: "a", level: "info", message: "m" })).not.toThrow();
      await turns();
      expect(caught).toEqual([mistake]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of before) process.on("uncaughtException", listener);
    }
  });
});
