/** The suite against drivers that are wrong on purpose: a suite that lets one pass proves nothing. */
import {
  type ConformanceHarness,
  type ConformanceReport,
  formatReport,
  interceptDriver,
  overriding,
  runConformance,
} from "@seaway/testkit";
import { expect, test } from "vitest";
import { memoryHarness } from "./memory-harness.ts";
import { plantedDefects } from "./planted-defects.ts";
import { plantedGroupDefects } from "./planted-group-defects.ts";

const { child: _, ...memoryInProcess } = memoryHarness;
/** What hangs is noticed sooner, and fewer messages are enough for the faults planted here. */
const quick: ConformanceHarness = {
  ...memoryInProcess,
  connect: { timeoutMs: 1_000 },
  limits: { waitMs: 2_000, caseMs: 12_000, orderedMessages: 2_500, manyMessages: 20_000, pendingMessages: 500 },
};

function failedNumbers(report: ConformanceReport): readonly string[] {
  return [...new Set(report.cases.filter((result) => result.status === "failed").map((result) => result.number))];
}

test("a driver without a planted defect fails nothing", { timeout: 120_000 }, async () => {
  const report = await runConformance(quick);
  expect(failedNumbers(report), formatReport(report)).toEqual([]);
  expect(report.missing).toEqual([]);
});

for (const { title, interception, caughtBy } of [...plantedDefects, ...plantedGroupDefects]) {
  test(`a driver that ${title} fails ${caughtBy.join(", ")}`, { timeout: 240_000 }, async () => {
    const manyMessages = caughtBy.length === 1 && caughtBy[0] === "23" ? 400_000 : quick.limits?.manyMessages;
    const limits = { ...quick.limits, ...(manyMessages === undefined ? {} : { manyMessages }) };
    const report = await runConformance({ ...quick, limits, driver: interceptDriver(quick.driver, interception) }, { only: caughtBy });
    expect(failedNumbers(report), formatReport(report)).toEqual([...caughtBy].sort(byOrderOf(report)));
  });
}

function byOrderOf(report: ConformanceReport): (a: string, b: string) => number {
  const order = report.cases.map((result) => result.number);
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}

test("a driver that leaves a timer behind fails 76", { timeout: 120_000 }, async () => {
  const child = { directory: import.meta.dirname, specifier: "./planted-defects.ts", factory: "leakyMemory" };
  const report = await runConformance(
    { ...quick, child, limits: { ...quick.limits, caseMs: 60_000, manyConsumers: 100 } },
    { only: ["76"] },
  );
  expect(report.cases.map((result) => result.status)).toEqual(["failed", "failed"]);
});

test("a driver that claims less than it must is told which abilities it lacks", async () => {
  const driver = interceptDriver(quick.driver, {
    connection: (connection) => overriding(connection, { capabilities: { ...connection.capabilities, seek: false, headers: false } }),
  });
  const report = await runConformance({ ...quick, driver }, { only: ["11", "53"] });
  expect(report.missing).toEqual(["headers", "seek"]);
  expect(failedNumbers(report)).toEqual([]);
  expect(new Set(report.cases.filter((result) => result.number === "53").map((result) => result.status))).toEqual(new Set(["unsupported"]));
});

test("a driver that claims next to nothing passes, with every refusal checked", async () => {
  const driver = interceptDriver(quick.driver, {
    connection: (connection) =>
      overriding(connection, {
        capabilities: {
          ...connection.capabilities,
          ...{ modes: ["real-time"], groups: false },
          ...{ seek: false, headers: false, keys: false, messageIds: false, dedupe: false, shards: false, patterns: "none" },
          ...{ fetch: false, retention: false, admin: [] },
        },
      }),
  });
  const report = await runConformance({ ...quick, name: "bare", driver });
  expect(failedNumbers(report), formatReport(report)).toEqual([]);
  expect(report.missing).toEqual([]);
  const unsupported = new Set(report.cases.filter((result) => result.status === "unsupported").map((result) => result.number));
  expect([...unsupported]).toEqual(
    expect.arrayContaining(["5", "11", "13", "14", "18", "19b", "23b", "24", "32", "40", "53", "57", "58", "60", "86"]),
  );
});
