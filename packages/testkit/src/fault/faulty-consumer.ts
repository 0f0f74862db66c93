/** Receiving, settling and seeking with planned faults. */
import type { DriverConsumer, Received } from "@seaway/core/driver";
import type { FaultGate } from "./fault-gate.ts";
import { FaultError, type FaultRule, type FaultyOperation } from "./fault-plan.ts";
import { overriding } from "./overriding.ts";

export function faultyConsumer(consumer: DriverConsumer, gate: FaultGate): DriverConsumer {
  /** What was read and has to be given (again); a seek or close forgets it, as the contract asks. */
  let kept: Received | undefined;

  async function around<T>(operation: FaultyOperation, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const rule = gate.enter(operation);
    await gate.pass(operation, rule, signal);
    if (rule?.fault === "fail-before") throw new FaultError(operation, rule.code, rule.retryable);
    const result = await work();
    await gate.answer(operation, rule, signal);
    if (rule?.fault === "duplicate") return work();
    if (rule?.fault === "fail-after") throw new FaultError(operation, rule.code, rule.retryable);
    return result;
  }

  function receivedUnder(rule: FaultRule | undefined, received: Received): Received {
    if (rule?.fault === "duplicate" && received.messages.length > 0) kept = received;
    if (rule?.fault !== "fail-after") return received;
    kept = received;
    throw new FaultError("receive", rule.code, rule.retryable);
  }

  return overriding(consumer, {
    receive: async (limit) => {
      const rule = gate.enter("receive");
      await gate.pass("receive", rule, limit.signal);
      if (kept !== undefined) {
        const again = kept;
        kept = undefined;
        return again;
      }
      if (rule?.fault === "fail-before") throw new FaultError("receive", rule.code, rule.retryable);
      const cut = new AbortController();
      const forget = gate.onCut(() => cut.abort());
      try {
        const received = await consumer.receive({ ...limit, signal: AbortSignal.any([limit.signal, cut.signal]) });
        await gate.answer("receive", rule, limit.signal);
        if (cut.signal.aborted && received.messages.length === 0) gate.assertConnected();
        return receivedUnder(rule, received);
      } finally {
        forget();
      }
    },
    settle: (settlements, call) => around("settle", call.signal, () => consumer.settle(settlements, call)),
    seek: (targets, call) => {
      kept = undefined;
      return around("seek", call.signal, () => consumer.seek(targets, call));
    },
    close: (call) => {
      kept = undefined;
      return consumer.close(call);
    },
  });
}
