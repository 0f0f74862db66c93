/** A whole driver for tests of what stands above it: it does what the memory driver does, but for what the test replaces. */
import type { Capabilities } from "../src/driver/capabilities.ts";
import type { Driver, DriverConnection, FailureClass, OptionTable } from "../src/driver/driver.ts";
import { memoryDriver } from "../src/memory/driver.ts";

/** An error of the backend's client, which says itself what kind of failure it is. */
export class FakeFailure extends Error {
  override readonly name = "FakeFailure";
  readonly kind: FailureClass;
  constructor(message: string, kind: Partial<FailureClass> = {}) {
    super(message);
    this.kind = { code: "backend", retryable: false, ...kind };
  }
}

/** A failure that passes. */
export function passing(message = "busy"): FakeFailure {
  return new FakeFailure(message, { retryable: true });
}

/** A failure that stays. */
export function lasting(message = "refused"): FakeFailure {
  return new FakeFailure(message);
}

export interface FakeDriverParts {
  readonly name?: string;
  readonly schemes?: readonly string[];
  readonly options?: Partial<OptionTable>;
  readonly capabilities?: Partial<Capabilities>;
  readonly open?: Driver["open"];
  readonly classifyError?: Driver["classifyError"];
  /** What replaces the parts of each connection. */
  readonly connection?: Partial<DriverConnection>;
}

const NO_OPTIONS: OptionTable = { connect: {}, producer: {}, send: {}, consumer: {}, stream: {} };

/** Scheme and name are `fake`. Every URL with the same host shares a broker in memory. */
export function fakeDriver(parts: FakeDriverParts = {}): Driver {
  const name = parts.name ?? "fake";
  const classifyError = (error: unknown): FailureClass => (error instanceof FakeFailure ? error.kind : memoryDriver.classifyError(error));
  return {
    name,
    schemes: parts.schemes ?? [name],
    options: { ...NO_OPTIONS, ...parts.options },
    describe: (uri) => ({ ...memoryDriver.describe(uri), ...parts.capabilities }),
    open:
      parts.open ??
      (async (uri, context, call) => {
        const connection = await memoryDriver.open(uri, context, call);
        const replaced: Partial<DriverConnection> = {
          capabilities: { ...connection.capabilities, ...parts.capabilities },
          ...parts.connection,
        };
        // Methods of the memory connection keep their own `this`.
        return new Proxy(connection, {
          get: (target, property) => {
            if (Object.hasOwn(replaced, property)) return Reflect.get(replaced, property);
            const value: unknown = Reflect.get(target, property, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      }),
    classifyError: parts.classifyError ?? classifyError,
  };
}
