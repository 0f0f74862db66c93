/** Results for people. */
import type { Result } from "./run-workload.ts";

const HEAD = ["suite", "workload", "seaway", "baseline", "", "ratio", "goal", ""] as const;

export function formatTable(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.suite,
    result.workload,
    shown(result.seaway),
    shown(result.baseline),
    result.unit,
    String(result.ratio),
    result.goal ?? "",
    result.met === undefined ? "" : result.met ? "met" : "MISSED",
  ]);
  const all = [[...HEAD], ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const isNumber = (column: number): boolean => column === 2 || column === 3 || column === 5;
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(HEAD), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function shown(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}
