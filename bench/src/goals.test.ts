import { describe, expect, it } from "vitest";
import { GOALS, judge } from "./goals.ts";
import { SUITES } from "./suites/index.ts";

describe("the benchmark's goals", () => {
  it("are each about a workload that there is, and say one bound", () => {
    for (const { suite, workload, atLeast, atMost } of GOALS) {
      expect(SUITES.find(({ name }) => name === suite)?.workloads.map(({ name }) => name)).toContain(workload);
      expect([atLeast, atMost].filter((bound) => bound !== undefined)).toHaveLength(1);
    }
  });

  it("are met at the bound and missed beyond it", () => {
    expect(judge("file", "consume", { ratio: 0.5, seaway: 1, baseline: 2 })).toEqual({ goal: "ratio >= 0.5", met: true });
    expect(judge("file", "consume", { ratio: 0.49, seaway: 1, baseline: 2 })?.met).toBe(false);
    expect(judge("memory", "import", { ratio: 1, seaway: 31, baseline: 1 })).toEqual({ goal: "seaway <= 30", met: false });
    expect(judge("file", "memory-growth", { ratio: 1, seaway: 120, baseline: 101 })).toEqual({ goal: "growth <= 20", met: true });
    expect(judge("file", "no such workload", { ratio: 1, seaway: 1, baseline: 1 })).toBeUndefined();
  });
});
