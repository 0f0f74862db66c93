/** Sending with planned faults. */
import type { DriverProducer, OutgoingMessage, SendOutcome } from "@seaway/core/driver";
import type { FaultGate } from "./fault-gate.ts";
import { FaultError } from "./fault-plan.ts";
import { overriding } from "./overriding.ts";

function failed(batch: readonly OutgoingMessage[], stored: false | "unknown", error: unknown): readonly SendOutcome[] {
  return batch.map(() => ({ stored, error }));
}

/**
 * Batches go on to the driver in the order in which they came, also when one of them was delayed or held. With more batches in flight
 * than the driver itself allows, each waits here until the one before it is stored: order is kept, and a failure can still stand in the
 * middle of others.
 */
export function faultyProducer(producer: DriverProducer, gate: FaultGate, limits: Partial<DriverProducer["limits"]>): DriverProducer {
  const oneAtATime = (limits.batchesInFlight ?? 0) > producer.limits.batchesInFlight;
  let before: Promise<unknown> = Promise.resolve();

  return overriding(producer, {
    limits: { ...producer.limits, ...limits },
    send: async (batch, call) => {
      const rule = gate.enter("send");
      const turn = before;
      const handedOn = Promise.withResolvers<void>();
      before = handedOn.promise;
      try {
        await turn;
        await gate.pass("send", rule, call.signal);
        call.signal.throwIfAborted();
        if (rule?.fault === "fail-before") throw new FaultError("send", rule.code, rule.retryable);
      } catch (error) {
        handedOn.resolve();
        return failed(batch, false, error);
      }
      const sending = producer.send(batch, call);
      if (!oneAtATime) handedOn.resolve();
      try {
        const outcomes = await sending;
        await gate.answer("send", rule, call.signal);
        if (rule?.fault === "duplicate") await producer.send(batch, call);
        return rule?.fault === "fail-after" ? failed(batch, "unknown", new FaultError("send", rule.code, rule.retryable)) : outcomes;
      } finally {
        handedOn.resolve();
      }
    },
  });
}
