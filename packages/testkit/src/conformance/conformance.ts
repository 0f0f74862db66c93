/** The suite: every driver runs it, and what it claims decides what is asked of it. */
import assert from "node:assert/strict";
import { chapters } from "../cases/chapters.ts";
import { type Ability, claims } from "./ability.ts";
import { CaseContext } from "./case-context.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import type { ConformanceHarness } from "./harness.ts";
import { type CaseResult, type ConformanceReport, formatReport } from "./report.ts";
import { requiredAbilities } from "./required-abilities.ts";
import { caseLimitMs, runCase } from "./run-case.ts";
import type { ConformanceRunner } from "./runner.ts";

export interface ConformanceOptions {
  /** Only the cases with these numbers. Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Whether pending abilities are taken: false for a release. Default: true. */
  readonly allowPending?: boolean | undefined;
  /** What becomes of the report at the end. Default: `"text"`, written to standard output. */
  readonly report?: "text" | "json" | ((report: ConformanceReport) => void) | undefined;
}

/** Time beyond a case's own for opening and closing around it, so that the framework's limit never strikes first. */
const AROUND_MS = 60_000;

/** Registers the suite with a test framework. The harness says how to reach the backend; abilities come from the driver. */
export function conformance(harness: ConformanceHarness, runner: ConformanceRunner, options: ConformanceOptions = {}): void {
  const results: CaseResult[] = [];
  let missing: readonly Ability[] = [];
  const chosen = (testCase: ConformanceCase): boolean => options.only?.includes(testCase.number) ?? true;

  runner.describe(`conformance of ${harness.name}`, () => {
    runner.it(
      "claims what it must",
      async () => {
        missing = await missingAbilities(harness);
        assert.deepEqual(missing, [], "claimed neither by the driver nor as pending");
      },
      AROUND_MS,
    );

    for (const chapter of chapters) {
      const cases = chapter.cases.filter(chosen);
      if (cases.length === 0) continue;
      runner.describe(chapter.title, () => {
        for (const testCase of cases) {
          runner.it(
            `${testCase.number}. ${testCase.title}`,
            async (test) => {
              const result = await resultOf(harness, testCase, results);
              if (result.status !== "passed" && result.status !== "unsupported") test.skip?.(`${result.status}: ${result.note ?? ""}`);
            },
            caseLimitMs(harness, testCase) + AROUND_MS,
          );
        }
      });
    }

    runner.it(
      "says which cases ran",
      async () => {
        const report = { driver: harness.name, cases: results, missing, pending: pendingOf(harness) };
        publish(report, options.report ?? "text");
        if (options.allowPending === false) assert.deepEqual(report.pending, [], "a release has nothing pending");
      },
      AROUND_MS,
    );
  });
}

/** Runs the suite without a test framework; failures are in the report. */
export async function runConformance(
  harness: ConformanceHarness,
  options: Pick<ConformanceOptions, "only"> = {},
): Promise<ConformanceReport> {
  const results: CaseResult[] = [];
  for (const testCase of chapters.flatMap((chapter) => chapter.cases)) {
    if (options.only?.includes(testCase.number) ?? true) await resultOf(harness, testCase, results).catch(() => undefined);
  }
  return { driver: harness.name, cases: results, missing: await missingAbilities(harness), pending: pendingOf(harness) };
}

async function resultOf(harness: ConformanceHarness, testCase: ConformanceCase, results: CaseResult[]): Promise<CaseResult> {
  const { number, title } = testCase;
  try {
    const result: CaseResult = { number, title, ...(await runCase(harness, testCase)) };
    results.push(result);
    return result;
  } catch (error) {
    results.push({ number, title, status: "failed", note: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

async function missingAbilities(harness: ConformanceHarness): Promise<readonly Ability[]> {
  const context = await CaseContext.open(harness);
  try {
    const { capabilities } = context;
    const isPending = (ability: Ability): boolean => harness.pending?.some(([pending]) => pending === ability) ?? false;
    return requiredAbilities(harness.name).filter((ability) => !claims(capabilities, ability) && !isPending(ability));
  } finally {
    await context.close();
  }
}

function pendingOf(harness: ConformanceHarness): ConformanceReport["pending"] {
  return (harness.pending ?? []).map(([ability, broughtBy]) => ({ ability, broughtBy }));
}

function publish(report: ConformanceReport, how: NonNullable<ConformanceOptions["report"]>): void {
  if (typeof how === "function") how(report);
  else process.stdout.write(how === "json" ? `${JSON.stringify(report)}\n` : formatReport(report));
}
