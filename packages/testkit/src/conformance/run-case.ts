/** How one case is run against one driver, and what its outcome means. */
import assert from "node:assert/strict";
import { isStreamError } from "@seaway/core";
import { within } from "../wait/within.ts";
import { type Ability, attempt, claims } from "./ability.ts";
import { CaseContext } from "./case-context.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import type { ConformanceHarness } from "./harness.ts";
import { DEFAULT_LIMITS } from "./harness.ts";
import type { CaseStatus } from "./report.ts";

export interface CaseOutcome {
  readonly status: Exclude<CaseStatus, "failed">;
  readonly note?: string;
}

/** The longest that {@link runCase} may take, ms. */
export function caseLimitMs(harness: ConformanceHarness, testCase: ConformanceCase): number {
  return Math.max(harness.limits?.caseMs ?? DEFAULT_LIMITS.caseMs, testCase.caseMs ?? 0);
}

/** Rejects where the case fails. */
export async function runCase(harness: ConformanceHarness, testCase: ConformanceCase): Promise<CaseOutcome> {
  const needs = testCase.needs ?? [];
  const waitsFor = harness.pending?.find(([ability]) => needs.includes(ability));
  if (waitsFor !== undefined) return { status: "pending", note: `${waitsFor[0]}: ${waitsFor[1]}` };
  const lacking = testCase.offers?.find((part) => harness[part] === undefined);
  if (lacking !== undefined) return { status: "not-run", note: `the harness offers no ${lacking}` };

  const limitMs = caseLimitMs(harness, testCase);
  const context = await CaseContext.open(harness);
  let outcome: CaseOutcome;
  try {
    const unclaimed = needs.filter((ability) => !claims(context.capabilities, ability));
    if (unclaimed.length > 0) {
      for (const ability of unclaimed) await within(assertRefused(ability, context), limitMs, "the refusal");
      outcome = { status: "unsupported", note: unclaimed.join(", ") };
    } else {
      await within(testCase.run(context), limitMs, "the case");
      outcome = { status: "passed" };
    }
  } catch (error) {
    // What the case found matters more than what its closing found.
    await context.close().catch(() => undefined);
    throw error;
  }
  await context.close();
  return outcome;
}

async function assertRefused(ability: Ability, context: CaseContext): Promise<void> {
  const error = await attempt(ability, context).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error !== undefined, `"${ability}" is not claimed and yet was not refused: it should fail with unsupported`);
  if (!isStreamError(error, "unsupported")) {
    throw new Error(`"${ability}" is not claimed: it should fail with unsupported, but failed otherwise`, { cause: error });
  }
}
