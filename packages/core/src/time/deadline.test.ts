import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { anySignal, withDeadline } from "./deadline.ts";

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

const never = (): Promise<never> => new Promise(() => {});

describe("a call with a deadline", () => {
  it("gives the result, and leaves no timer and no listener", async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const result = withDeadline({ clock, timeoutMs: 100, signal, what: "it" }, async () => "done");
    expect([clock.pending, listeners(signal)]).toEqual([1, 1]);
    expect(await result).toBe("done");
    expect([clock.pending, listeners(signal)]).toEqual([0, 0]);
  });

  it.each([
    ["rejects", async () => Promise.reject(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
  ])("leaves neither when the work %s", async (_how, work) => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    await expect(withDeadline({ clock, timeoutMs: 100, signal, what: "it" }, work)).rejects.toThrow("no");
    expect([clock.pending, listeners(signal)]).toEqual([0, 0]);
  });

  it("rejects timeout on time, whether or not the work listens, and tells the work", async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    let given: AbortSignal | undefined;
    const details = { backend: "fake", phase: "setup", streamKey: "s" } as const;
    const result = withDeadline({ clock, timeoutMs: 100, signal, what: "connecting", details }, (call) => {
      given = call.signal;
      return never();
    });
    const rejection = expect(result).rejects.toMatchObject({
      code: "timeout",
      retryable: true,
      ...details,
      message: expect.stringContaining("connecting took longer than 100 ms"),
    });
    await clock.advance(99);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    await rejection;
    expect(given?.aborted).toBe(true);
    expect(listeners(signal)).toBe(0);
  });

  it("rejects aborted at once, with the caller's reason as the cause", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const reason = new Error("enough");
    const result = withDeadline({ clock, timeoutMs: 100, signal: controller.signal, what: "it" }, never);
    controller.abort(reason);
    await expect(result).rejects.toMatchObject({ code: "aborted", retryable: false, cause: reason });
    expect([clock.pending, listeners(controller.signal)]).toEqual([0, 0]);
  });

  it("does not begin when it is given up already", async () => {
    let begun = false;
    const work = async (): Promise<void> => {
      begun = true;
    };
    await expect(withDeadline({ clock: new ManualClock(), signal: AbortSignal.abort(), what: "it" }, work)).rejects.toMatchObject({
      code: "aborted",
    });
    expect(begun).toBe(false);
  });

  it("discards a result that comes too late, and swallows a failure that does", async () => {
    const clock = new ManualClock();
    const late = Promise.withResolvers<string>();
    const failing = Promise.withResolvers<string>();
    const discarded: string[] = [];
    const calls = [late, failing].map(({ promise }) =>
      withDeadline(
        { clock, timeoutMs: 100, what: "it" },
        () => promise,
        (value) => void discarded.push(value),
      ),
    );
    const outcomes = Promise.allSettled(calls);
    await clock.advance(100);
    late.resolve("late");
    failing.reject(new Error("late failure"));
    await turns();
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(discarded).toEqual(["late"]);
  });

  it("has no deadline at 0", async () => {
    const clock = new ManualClock();
    const result = withDeadline({ clock, timeoutMs: 0, what: "it" }, async () => 1);
    expect(clock.pending).toBe(0);
    await result;
  });
});

describe("either of two signals", () => {
  it("is the second alone if there is no first, else whichever aborts", () => {
    const given = new AbortController();
    const own = new AbortController();
    expect(anySignal(undefined, own.signal)).toBe(own.signal);
    const either = anySignal(given.signal, own.signal);
    expect(either.aborted).toBe(false);
    given.abort();
    expect(either.aborted).toBe(true);
  });
});
