/** What the demo prints, and whether what it printed was true. */
import { isDeepStrictEqual } from "node:util";

let failed = 0;

export function failures(): number {
  return failed;
}

export function title(text: string): void {
  console.log(`\n${text}\n${"─".repeat(text.length)}`);
}

export function say(text: string): void {
  console.log(text);
}

/** Says what should be so, and whether it is. */
export function check(claim: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) {
    console.log(`  ✓ ${claim}`);
    return;
  }
  failed += 1;
  console.log(`  ✗ ${claim}`);
  console.log("    expected", expected);
  console.log("    but it is", actual);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  for (const row of [head, widths.map((width) => "─".repeat(width)), ...rows]) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
  }
  console.log();
}
