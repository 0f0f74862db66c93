import { describe, expect, it } from "vitest";
import { StreamError } from "../error/stream-error.ts";
import { ArraySink, TallySink } from "./send-sinks.ts";

const full = new StreamError("stream-full", "no room", { backend: "fake", streamKey: "s" });
const slow = new StreamError("timeout", "too slow");

describe("a tally", () => {
  it("has nothing to say when nothing failed", () => {
    expect(new TallySink().takeError()).toBeUndefined();
  });

  it("gives a single failure as it was, and forgets it", () => {
    const tally = new TallySink();
    tally.failed(undefined, full);
    expect(tally.takeError()).toMatchObject({
      code: "stream-full",
      message: "stream-full: no room",
      retryable: false,
      backend: "fake",
      streamKey: "s",
      cause: full,
    });
    expect(tally.takeError()).toBeUndefined();
    expect(tally.failures).toBe(0);
  });

  it("counts several, and gives the first ones as causes", () => {
    const tally = new TallySink();
    tally.failed(undefined, slow);
    for (let i = 0; i < 14; i++) tally.failed(undefined, full);
    const error = tally.takeError();
    expect(error).toMatchObject({ code: "timeout", message: "timeout: 15 messages were not stored, the first because: too slow" });
    const cause = error?.cause as AggregateError;
    expect(cause.errors).toHaveLength(10);
    expect([cause.errors[0], cause.message]).toEqual([slow, "the first 10 of 15 failures"]);
  });

  it("is retryable only if every failure was", () => {
    const tally = new TallySink();
    tally.failed(undefined, slow);
    tally.failed(undefined, slow);
    expect(tally.takeError()?.retryable).toBe(true);
    tally.failed(undefined, slow);
    tally.failed(undefined, full);
    expect(tally.takeError()?.retryable).toBe(false);
    tally.failed(undefined, slow);
    tally.failed(undefined, new TypeError("mistake"));
    expect(tally.takeError()?.retryable).toBe(false);
  });
});

describe("an array of results", () => {
  it("is complete when each reserved index has its result, in whatever order they came", async () => {
    const sink = new ArraySink();
    const [first, second] = [sink.reserve(), sink.reserve()];
    const complete = sink.complete();
    const receipt = { streamKey: "s", shardId: 0, sequence: 1n, timestampMs: undefined, duplicate: false };
    sink.failed({ index: second }, full);
    sink.stored({ index: first, resolve: undefined, reject: undefined }, receipt);
    expect(await complete).toEqual([
      { status: "fulfilled", value: receipt },
      { status: "rejected", reason: full },
    ]);
  });

  it("is complete at once when all is settled already, or nothing was reserved", async () => {
    expect(await new ArraySink().complete()).toEqual([]);
    const sink = new ArraySink();
    sink.failed({ index: sink.reserve() }, full);
    expect(await sink.complete()).toHaveLength(1);
  });
});
