/** What the suite does with the test framework that it is given. */
import { type ConformanceOptions, type ConformanceReport, conformance, type RunnerTest } from "@seaway/testkit";
import { expect, test } from "vitest";
import { memoryHarness } from "./memory-harness.ts";

interface Collected {
  readonly titles: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  readonly report: ConformanceReport | undefined;
}

/** Registers the suite with a framework that only collects, then runs what it was given. */
async function collect(harness: typeof memoryHarness, options: ConformanceOptions): Promise<Collected> {
  const tests: { readonly title: string; readonly body: (test: RunnerTest) => Promise<void> }[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];
  let report: ConformanceReport | undefined;
  const take = (given: ConformanceReport): void => {
    report = given;
  };
  conformance(
    harness,
    { describe: (_, body) => body(), it: (title, body) => void tests.push({ title, body }) },
    { report: take, ...options },
  );
  for (const { title, body } of tests) {
    await body({ skip: (note) => void skipped.push(`${title}: ${note}`) }).catch(() => failed.push(title));
  }
  return { titles: tests.map(({ title }) => title), failed, skipped, report };
}

test("runs the chosen cases between the check of what is claimed and the report", async () => {
  const { titles, failed, report } = await collect(memoryHarness, { only: ["6"] });
  expect(titles).toEqual(["claims what it must", "6. end sends what is left; a send after it is closed", "says which cases ran"]);
  expect(failed).toEqual([]);
  expect(report?.cases).toEqual([{ number: "6", title: "end sends what is left; a send after it is closed", status: "passed" }]);
});

test("tells the framework of what did not run, with the reason", async () => {
  const { skipped, report } = await collect({ ...memoryHarness, pending: [["seek", "tomorrow"]] }, { only: ["55"] });
  expect(skipped).toEqual(["55. waits at the end for what follows: pending: seek: tomorrow"]);
  expect(report?.cases[0]?.status).toBe("pending");
});

test("fails a release that has something pending, and a driver that lacks something in silence", async () => {
  const pending = [["seek", "tomorrow"]] as const;
  expect((await collect({ ...memoryHarness, pending }, { only: ["55"], allowPending: false })).failed).toContain("says which cases ran");
  const lacking = { ...memoryHarness, name: "nats", pending: [] };
  const { failed, report } = await collect(lacking, { only: ["6"] });
  expect(failed).toEqual(["claims what it must"]);
  expect(report?.missing).toEqual(expect.arrayContaining(["push", "expected-sequence"]));
});
