/** `@seaway/testkit`: the conformance suite for drivers, and means for testing programs that use Seaway. */
export type { Ability } from "./conformance/ability.ts";
export { claims } from "./conformance/ability.ts";
export { CaseContext } from "./conformance/case-context.ts";
export { type ConformanceOptions, conformance, runConformance } from "./conformance/conformance.ts";
export type { Chapter, ConformanceCase, HarnessPart } from "./conformance/conformance-case.ts";
export {
  type BrokerControl,
  type BrokerControls,
  type ChildDriver,
  type ConformanceHarness,
  type ConformanceLimits,
  DEFAULT_LIMITS,
  type Leases,
  type LeaseTimes,
} from "./conformance/harness.ts";
export { type CaseResult, type CaseStatus, type ConformanceReport, formatReport } from "./conformance/report.ts";
export { requiredAbilities } from "./conformance/required-abilities.ts";
export type { ConformanceRunner, RunnerTest } from "./conformance/runner.ts";
export { abandon } from "./fault/abandon.ts";
export { FaultError, type FaultKind, type FaultPlan, type FaultRule, type FaultyOperation } from "./fault/fault-plan.ts";
export { type FaultControls, type FaultyOptions, faulty } from "./fault/faulty.ts";
export { type Interception, interceptDriver } from "./fault/intercept-driver.ts";
export { overriding } from "./fault/overriding.ts";
export { type DrainOptions, drain } from "./wait/drain.ts";
export { eventually } from "./wait/eventually.ts";
export { ManualClock, ManualTime } from "./wait/manual-time.ts";
export { type NextMessageOptions, nextMessage } from "./wait/next-message.ts";
export { within } from "./wait/within.ts";
