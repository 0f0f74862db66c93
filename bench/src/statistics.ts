/** The little arithmetic of the benchmark. */
import type { Unit } from "./suite.ts";

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new TypeError("the median of nothing");
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  const high = sorted[upper] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[upper - 1] as number) + high) / 2;
}

/** How we do against the baseline; more is always better. */
export function ratioOf(unit: Unit, seaway: number, baseline: number): number {
  return unit.better === "higher" ? seaway / baseline : baseline / seaway;
}

/** Four significant digits: what lies behind them is noise. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

/** Which side goes first in each round: A B, B A, A B, … so that what slowly changes on the machine falls on both. */
export function roundOrder(round: number): readonly ["seaway", "baseline"] | readonly ["baseline", "seaway"] {
  return round % 2 === 0 ? ["seaway", "baseline"] : ["baseline", "seaway"];
}
