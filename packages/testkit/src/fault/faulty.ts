/** A driver whose faults are planned: for tests of what a program does when its backend misbehaves. */
import type { Driver, DriverProducer } from "@seaway/core/driver";
import { FaultGate } from "./fault-gate.ts";
import { FaultError, type FaultPlan, type FaultyOperation } from "./fault-plan.ts";
import { faultyConsumer } from "./faulty-consumer.ts";
import { faultyProducer } from "./faulty-producer.ts";
import { interceptDriver } from "./intercept-driver.ts";
import { overriding } from "./overriding.ts";
import { seededRandom } from "./random.ts";

export interface FaultyOptions {
  /** Of every chance in the plan. Default: 1. */
  readonly seed?: number | undefined;
  /** Default: no faults but those called for by {@link FaultControls}. */
  readonly plan?: FaultPlan | undefined;
  /** Smaller batches, or more of them in flight, than the driver says by itself: order is kept. Default: the driver's. */
  readonly limits?: Partial<DriverProducer["limits"]> | undefined;
}

/** What a test can do while it runs. */
export interface FaultControls {
  /** Calls of the operation so far, over all connections. */
  calls(operation: FaultyOperation): number;
  /** Calls that wait now, because of `hold`, a rule or a delay. */
  held(operation: FaultyOperation): number;
  /** From now on calls of the operation wait, before anything is done. */
  hold(operation: FaultyOperation): void;
  /** Those that wait go on, in order; later ones no longer wait. */
  release(operation: FaultyOperation): void;
  /** The connection is gone: what waits and what is called fails, retryably, with nothing done; until `reconnect`. */
  disconnect(): void;
  reconnect(): void;
}

/** `driver` with faults: pass it in `connect(url, { drivers: [faulty(redis(), { seed: 7, plan })] })`. */
export function faulty(driver: Driver, options: FaultyOptions = {}): Driver & FaultControls {
  const gate = new FaultGate(options.plan ?? {}, seededRandom(options.seed ?? 1));
  const intercepted = interceptDriver(driver, {
    producer: (producer) => faultyProducer(producer, gate, options.limits ?? {}),
    consumer: (consumer) => faultyConsumer(consumer, gate),
    connection: (connection) =>
      overriding(connection, {
        ping: async (call) => {
          gate.assertConnected();
          await connection.ping(call);
        },
      }),
  });
  return overriding<Driver, FaultControls>(intercepted, {
    classifyError: (error) =>
      error instanceof FaultError ? { code: error.code, retryable: error.retryable } : driver.classifyError(error),
    open: async (uri, context, call) => {
      const rule = gate.enter("open");
      await gate.pass("open", rule, call.signal);
      call.signal.throwIfAborted();
      if (rule?.fault === "fail-before") throw new FaultError("open", rule.code, rule.retryable);
      const connection = await intercepted.open(uri, context, call);
      await gate.answer("open", rule, call.signal);
      if (rule?.fault !== "fail-after") return connection;
      await connection.close(call);
      throw new FaultError("open", rule.code, rule.retryable);
    },
    calls: (operation) => gate.calls(operation),
    held: (operation) => gate.held(operation),
    hold: (operation) => gate.hold(operation),
    release: (operation) => gate.release(operation),
    disconnect: () => gate.cut(),
    reconnect: () => gate.mend(),
  });
}
