/** What a suite is: workloads of one backend, each with the program that measures Seaway and the one that measures a baseline. */

/** What a program is given. It runs in a fresh process, and once. */
export interface Job {
  /** How many messages to move; programs that move none ignore it. */
  readonly messages: number;
  /** Of each message. */
  readonly payloadBytes: number;
  /** An empty folder of its own; what is left in it is removed. */
  readonly folder: string;
  /** What the workload's `prepare` and the side say beside. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What a program exports as default: it measures, and gives one number in the workload's unit. It throws when the work was not done. */
export type Program = (job: Job) => Promise<number>;

/** For a workload that measures both numbers in one process. */
export type PairProgram = (job: Job) => Promise<Pair>;

export interface Pair {
  readonly seaway: number;
  readonly baseline: number;
}

export interface Side {
  /** The module of a {@link Program}. */
  readonly program: URL;
  readonly settings?: Readonly<Record<string, string>>;
}

/** In which one is `better: "higher"`, the ratio is ours to the baseline's, otherwise the baseline's to ours: more is always better. */
export interface Unit {
  readonly name: "msg/s" | "ms" | "MiB";
  readonly better: "higher" | "lower";
}

export const MESSAGES_PER_SECOND: Unit = { name: "msg/s", better: "higher" };
export const MILLISECONDS: Unit = { name: "ms", better: "lower" };
export const MEBIBYTES: Unit = { name: "MiB", better: "lower" };

export interface Workload {
  /** Unique in its suite. */
  readonly name: string;
  /** One line: what is measured against what. */
  readonly what: string;
  readonly unit: Unit;
  /** Unless `--messages` says otherwise; 0 where none are moved. */
  readonly messages: number;
  readonly payloadBytes: number;
  /** Unless `--rounds` says otherwise. */
  readonly rounds: number;
  /** Two programs in processes of their own, or one that measures both numbers. */
  readonly sides: { readonly seaway: Side; readonly baseline: Side } | { readonly both: Side };
  /** Arguments for node. */
  readonly nodeArguments?: readonly string[];
  /** Runs once before the rounds; what it gives is added to the settings of both sides. */
  prepare?(folder: string): Promise<Readonly<Record<string, string>>>;
}

export interface Suite {
  readonly name: string;
  readonly workloads: readonly Workload[];
}
