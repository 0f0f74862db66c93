/** One case of the suite: a sentence, what it needs, and how it is checked. */
import type { Ability } from "./ability.ts";
import type { CaseContext } from "./case-context.ts";
import type { BrokerControl, ConformanceHarness } from "./harness.ts";

/** Parts of a harness that some cases cannot do without. */
export type HarnessPart = BrokerControl | keyof Pick<ConformanceHarness, "child" | "shortLeases" | "unreachableUrl" | "wrongPasswordUrl">;

export interface ConformanceCase {
  /** As in the list of cases; several cases may share one. */
  readonly number: string;
  /** A sentence of behaviour. */
  readonly title: string;
  /** All of them. Where one is not claimed, it is checked to be refused instead. Default: none. */
  readonly needs?: readonly Ability[];
  /** What the harness has to offer; else the case is reported as not run. Default: nothing. */
  readonly offers?: readonly HarnessPart[];
  /** Not below this, ms, whatever the limits say: for cases that move a lot. */
  readonly caseMs?: number;
  /** Rejects if the driver does not behave. What it opened through the context is closed afterwards. */
  run(context: CaseContext): Promise<void>;
}

/** Cases that belong together. */
export interface Chapter {
  readonly title: string;
  readonly cases: readonly ConformanceCase[];
}
