/** What is to be reached, by suite and workload; with `--check` the run fails where one is missed. */

export interface Goal {
  readonly suite: string;
  readonly workload: string;
  /** `growth` is ours minus the baseline. */
  readonly of: "ratio" | "seaway" | "growth";
  readonly atLeast?: number;
  readonly atMost?: number;
}

export const GOALS: readonly Goal[] = [
  { suite: "memory", workload: "produce-send", of: "seaway", atLeast: 1_000_000 },
  { suite: "memory", workload: "produce-enqueue", of: "seaway", atLeast: 1_000_000 },
  { suite: "memory", workload: "consume", of: "seaway", atLeast: 1_000_000 },
  { suite: "memory", workload: "load-balanced", of: "ratio", atLeast: 0.5 },
  { suite: "memory", workload: "run-100", of: "ratio", atLeast: 0.5 },
  { suite: "memory", workload: "tracing-cost-send", of: "ratio", atLeast: 0.98 },
  { suite: "memory", workload: "tracing-cost-consume", of: "ratio", atLeast: 0.98 },
  { suite: "memory", workload: "import", of: "seaway", atMost: 30 },
  { suite: "file", workload: "produce-send", of: "ratio", atLeast: 0.35 },
  { suite: "file", workload: "produce-enqueue", of: "ratio", atLeast: 0.6 },
  { suite: "file", workload: "produce-send-many", of: "ratio", atLeast: 0.6 },
  { suite: "file", workload: "consume", of: "ratio", atLeast: 0.5 },
  { suite: "file", workload: "memory-growth", of: "growth", atMost: 20 },
];

export interface Verdict {
  /** Such as `ratio >= 0.5`. */
  readonly goal: string;
  readonly met: boolean;
}

/** Undefined where there is no goal. */
export function judge(
  suite: string,
  workload: string,
  result: { readonly ratio: number; readonly seaway: number; readonly baseline: number },
): Verdict | undefined {
  const goal = GOALS.find((each) => each.suite === suite && each.workload === workload);
  if (goal === undefined) return undefined;
  const value = goal.of === "growth" ? result.seaway - result.baseline : result[goal.of];
  const { atLeast, atMost } = goal;
  if (atLeast !== undefined) return { goal: `${goal.of} >= ${atLeast}`, met: value >= atLeast };
  return { goal: `${goal.of} <= ${atMost}`, met: value <= (atMost ?? Number.POSITIVE_INFINITY) };
}
