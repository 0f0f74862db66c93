/** The one place where a faulty driver decides what becomes of a call, and where held calls wait. */
import { FaultError, type FaultPlan, type FaultRule, type FaultyOperation } from "./fault-plan.ts";

const DEFAULT_DELAY_MS = 10;

interface Waiter {
  readonly operation: FaultyOperation;
  readonly go: () => void;
}

export class FaultGate {
  readonly #plan: FaultPlan;
  readonly #random: () => number;
  readonly #calls = new Map<FaultyOperation, number>();
  readonly #used = new Map<FaultRule, number>();
  readonly #holding = new Set<FaultyOperation>();
  readonly #waiters = new Set<Waiter>();
  readonly #cutListeners = new Set<() => void>();
  #connected = true;

  constructor(plan: FaultPlan, random: () => number) {
    this.#plan = plan;
    this.#random = random;
  }

  calls(operation: FaultyOperation): number {
    return this.#calls.get(operation) ?? 0;
  }

  held(operation: FaultyOperation): number {
    return [...this.#waiters].filter((waiter) => waiter.operation === operation).length;
  }

  hold(operation: FaultyOperation): void {
    this.#holding.add(operation);
  }

  release(operation: FaultyOperation): void {
    this.#holding.delete(operation);
    for (const waiter of [...this.#waiters]) if (waiter.operation === operation) waiter.go();
  }

  cut(): void {
    this.#connected = false;
    for (const listener of [...this.#cutListeners]) listener();
    for (const waiter of [...this.#waiters]) waiter.go();
  }

  mend(): void {
    this.#connected = true;
  }

  /** Rejects while the connection is cut. */
  assertConnected(): void {
    if (!this.#connected) throw new FaultError("connection", "connect-failed");
  }

  /** Runs `listener` when the connection is cut; gives what forgets it. */
  onCut(listener: () => void): () => void {
    this.#cutListeners.add(listener);
    return () => this.#cutListeners.delete(listener);
  }

  /** Counts a call and gives the rule that holds for it. */
  enter(operation: FaultyOperation): FaultRule | undefined {
    const call = this.calls(operation) + 1;
    this.#calls.set(operation, call);
    return this.#plan[operation]?.find((rule) => this.#applies(rule, call));
  }

  #applies(rule: FaultRule, call: number): boolean {
    if (rule.calls !== undefined && !rule.calls.includes(call)) return false;
    const used = this.#used.get(rule) ?? 0;
    if (used >= (rule.times ?? Number.POSITIVE_INFINITY)) return false;
    if (rule.chance !== undefined && this.#random() >= rule.chance) return false;
    this.#used.set(rule, used + 1);
    return true;
  }

  /** Waits while the operation is held, or because its rule says so; not longer than `signal`. */
  async pass(operation: FaultyOperation, rule: FaultRule | undefined, signal: AbortSignal): Promise<void> {
    if (rule?.fault === "delay") await this.#wait(operation, signal, rule.delayMs ?? DEFAULT_DELAY_MS);
    else if (rule?.fault === "hold" || this.#holding.has(operation)) await this.#wait(operation, signal, undefined);
    this.assertConnected();
  }

  /** Keeps an answer back, where the rule says so. */
  async answer(operation: FaultyOperation, rule: FaultRule | undefined, signal: AbortSignal): Promise<void> {
    if (rule?.fault === "late-answer") await this.#wait(operation, signal, rule.delayMs ?? DEFAULT_DELAY_MS);
  }

  #wait(operation: FaultyOperation, signal: AbortSignal, delayMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const go = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", go);
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter: Waiter = { operation, go };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", go);
      if (delayMs !== undefined) timer = setTimeout(go, delayMs);
      if (signal.aborted) go();
    });
  }
}
