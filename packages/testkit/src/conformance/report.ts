/** What became of each case, for people and for machines. */
import type { Ability } from "./ability.ts";

/**
 * `unsupported`: what it needs is not claimed, and was checked to be refused. `pending`: the harness says what will bring it.
 * `not-run`: the harness offers no way to do it.
 */
export type CaseStatus = "passed" | "failed" | "unsupported" | "pending" | "not-run";

export interface CaseResult {
  readonly number: string;
  readonly title: string;
  readonly status: CaseStatus;
  /** Why, for all but `passed`. */
  readonly note?: string;
}

export interface ConformanceReport {
  readonly driver: string;
  readonly cases: readonly CaseResult[];
  /** Abilities that the table asks for and that are neither claimed nor pending. */
  readonly missing: readonly Ability[];
  readonly pending: readonly { readonly ability: Ability; readonly broughtBy: string }[];
}

const STATUSES: readonly CaseStatus[] = ["passed", "unsupported", "pending", "not-run", "failed"];

/** The report as a table of lines. */
export function formatReport(report: ConformanceReport): string {
  const counts = STATUSES.map((status) => `${report.cases.filter((result) => result.status === status).length} ${status}`);
  const lines = [`conformance of ${report.driver}: ${counts.join(", ")}`];
  for (const status of STATUSES.slice(1)) {
    for (const result of report.cases) {
      if (result.status === status)
        lines.push(`  ${status}  ${result.number} ${result.title}${result.note === undefined ? "" : ` (${result.note})`}`);
    }
  }
  if (report.pending.length > 0) lines.push("  pending abilities:");
  for (const { ability, broughtBy } of report.pending) lines.push(`    ${ability}: ${broughtBy}`);
  if (report.missing.length > 0) lines.push(`  claims less than it must: ${report.missing.join(", ")}`);
  return `${lines.join("\n")}\n`;
}
