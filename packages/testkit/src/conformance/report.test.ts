import { expect, test } from "vitest";
import { type ConformanceReport, formatReport } from "./report.ts";

test("names everything that did not simply pass, and why", () => {
  const report: ConformanceReport = {
    driver: "example",
    cases: [
      { number: "1", title: "passes", status: "passed" },
      { number: "2", title: "fails", status: "failed", note: "because" },
      { number: "3", title: "is not claimed", status: "unsupported", note: "seek" },
      { number: "4", title: "comes later", status: "pending", note: "groups: the next stage" },
      { number: "5", title: "has no broker", status: "not-run", note: "the harness offers no restart" },
    ],
    missing: ["headers"],
    pending: [{ ability: "groups", broughtBy: "the next stage" }],
  };
  expect(formatReport(report)).toBe(`conformance of example: 1 passed, 1 unsupported, 1 pending, 1 not-run, 1 failed
  unsupported  3 is not claimed (seek)
  pending  4 comes later (groups: the next stage)
  not-run  5 has no broker (the harness offers no restart)
  failed  2 fails (because)
  pending abilities:
    groups: the next stage
  claims less than it must: headers
`);
});
