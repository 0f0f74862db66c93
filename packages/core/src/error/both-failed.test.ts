import { expect, it } from "vitest";
import { bothFailed } from "./both-failed.ts";
import { StreamError } from "./stream-error.ts";

it("reports the work's code and text, the clean-up's text, and both as causes", () => {
  const work = new StreamError("timeout", "too slow", { backend: "fake", streamKey: "s", phase: "setup" });
  const cleanup = new StreamError("backend", "not closed");
  const both = bothFailed(work, cleanup);
  expect(both).toMatchObject({ code: "timeout", retryable: true, backend: "fake", streamKey: "s", phase: "setup" });
  expect(both.message).toBe("timeout: too slow; and then: backend: not closed");
  expect((both.cause as AggregateError).errors).toEqual([work, cleanup]);
});

it("keeps both when the work failed with something of the program's own", () => {
  const work = new TypeError("mistake");
  const both = bothFailed(work, "cleanup");
  expect(both).toBeInstanceOf(AggregateError);
  expect((both as AggregateError).errors).toEqual([work, "cleanup"]);
});
