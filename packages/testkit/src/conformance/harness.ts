/** What a driver's author gives the suite. */
import type { ConnectOptions, ConsumerMode, ConsumerNamespaces } from "@seaway/core";
import type { Driver } from "@seaway/core/driver";
import type { Ability } from "./ability.ts";

/** How far a case goes. Smaller numbers make a faster and a weaker run. */
export interface ConformanceLimits {
  /** How long a case waits for any one thing, ms. Default: 10,000. */
  readonly waitMs: number;
  /** How long a case may take in all, ms, unless it says itself that it is long. Default: 60,000. */
  readonly caseMs: number;
  /** Case 4. Default: 10,000. */
  readonly orderedMessages: number;
  /** Case 23. Default: 1,000,000. */
  readonly manyMessages: number;
  /** Case 34. Default: 10,000. */
  readonly pendingMessages: number;
  /** Case 76. Default: 10,000. */
  readonly manyConsumers: number;
}

export const DEFAULT_LIMITS: ConformanceLimits = {
  waitMs: 10_000,
  caseMs: 60_000,
  orderedMessages: 10_000,
  manyMessages: 1_000_000,
  pendingMessages: 10_000,
  manyConsumers: 10_000,
};

/** How a separate process gets the driver: it runs in `directory` and imports `specifier` from there. */
export interface ChildDriver {
  readonly directory: string;
  /** Such as `"@seaway/redis"`. */
  readonly specifier: string;
  /** The export that makes the driver, such as `"redis"`. */
  readonly factory: string;
}

/** What a case wants of leases: how long a silent member keeps what it was given, and how often the others look for what is free. */
export interface LeaseTimes {
  readonly idleMs: number;
  readonly intervalMs: number;
}

/** What the backend makes of {@link LeaseTimes}. */
export interface Leases {
  /** How long a silent member really keeps what it was given, ms; and a resumable reader its place. */
  readonly leaseMs: number;
  /** For `createConsumer`: the driver's namespace. */
  readonly options: ConsumerNamespaces<ConsumerMode>;
}

/** What a harness can do to its broker; what it cannot is left out, and the cases that need it say so in the report. */
export interface BrokerControls {
  /** Stops it in an orderly way and starts it again, with its data. Resolves when it answers. */
  restart?(): Promise<void>;
  /** Kills it as `kill -9` does. */
  kill?(): Promise<void>;
  start?(): Promise<void>;
  /** Stops it from answering without closing a connection, until `resume`. */
  pause?(): Promise<void>;
  resume?(): Promise<void>;
  /** Bytes are swallowed both ways until the returned function is called. */
  cutOff?(): Promise<() => Promise<void>>;
  /** Puts `bytes` where the stream's next entry belongs, without the driver: something that is no message of ours. */
  malform?(streamKey: string, bytes: Uint8Array): Promise<void>;
  /** Gives an existing stream one shard more, as its administrator would. */
  addShard?(streamKey: string): Promise<void>;
}

/** The names of {@link BrokerControls}. */
export type BrokerControl = keyof BrokerControls;

export interface ConformanceHarness extends BrokerControls {
  /** As in the table of what each driver must claim. */
  readonly name: string;
  /** Used for every connection; it may be wrapped for a case. */
  readonly driver: Driver;
  /** Without keys. Asked once for each case; all connections of a case use what it gave. */
  url(): string | Promise<string>;
  /** The URL of `url()` with these keys in it. Default: they follow a slash. */
  urlWithKeys?(url: string, keys: readonly string[]): string;
  /** Of every connection: the driver's namespace, time-outs. */
  readonly connect?: Omit<ConnectOptions, "drivers" | "onEvent" | "signal"> | undefined;
  /** A key that no case was given before, with room for a suffix of 40 characters. Default: made up. */
  freshStreamName?(): string;
  /** What is not there yet and what will bring it. The report prints it; a release fails on it. */
  readonly pending?: readonly (readonly [ability: Ability, broughtBy: string])[] | undefined;
  /** How leases are made short, for cases in which a member dies or stalls. Times below what the backend allows are raised by it. */
  readonly shortLeases?: ((times: LeaseTimes) => Leases) | undefined;
  /** For what needs a process of its own (case 76). */
  readonly child?: ChildDriver | undefined;
  /** A URL where nobody answers (case 2). */
  readonly unreachableUrl?: string | undefined;
  /** A URL whose password the broker refuses (case 2). */
  readonly wrongPasswordUrl?: string | undefined;
  readonly limits?: Partial<ConformanceLimits> | undefined;
}
