/** All rounds of one workload, and what they come to. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { judge, type Verdict } from "./goals.ts";
import { runProgram } from "./run-program.ts";
import { median, ratioOf, rounded, roundOrder } from "./statistics.ts";
import type { Pair, Side, Suite, Workload } from "./suite.ts";

export interface Result extends Partial<Verdict> {
  readonly suite: string;
  readonly workload: string;
  /** Medians. */
  readonly seaway: number;
  readonly baseline: number;
  /** Median of the rounds' own ratios, because the two of a round ran side by side; higher is better, whatever the unit. */
  readonly ratio: number;
  readonly unit: string;
  /** Ours minus the baseline, where it is about memory. */
  readonly growth?: number;
  /** Moved in each round, by each side. */
  readonly messages: number;
  readonly rounds: number;
  readonly node: string;
}

export interface RunOptions {
  readonly rounds: number | undefined;
  readonly messages: number | undefined;
  readonly folder: string;
  /** Told of each round. */
  progress(text: string): void;
}

export async function runWorkload(suite: Suite, workload: Workload, options: RunOptions): Promise<Result> {
  const rounds = options.rounds ?? workload.rounds;
  const messages = workload.messages === 0 ? 0 : (options.messages ?? workload.messages);
  const folder = join(options.folder, `${suite.name}-${workload.name}`);
  await mkdir(folder);
  const settings = (await workload.prepare?.(folder)) ?? {};
  const samples: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    const run = (side: Side): Promise<number | Pair> => runProgram({ workload, side, messages, settings, parentFolder: folder });
    const sample = await measureRound(workload, round, run);
    samples.push(sample);
    const { seaway, baseline } = sample;
    options.progress(`round ${round + 1} of ${rounds}: ${rounded(seaway)} ${workload.unit.name}, baseline ${rounded(baseline)}`);
  }
  const seaway = rounded(median(samples.map((sample) => sample.seaway)));
  const baseline = rounded(median(samples.map((sample) => sample.baseline)));
  const ratio = rounded(median(samples.map((sample) => ratioOf(workload.unit, sample.seaway, sample.baseline))));
  return {
    suite: suite.name,
    workload: workload.name,
    seaway,
    baseline,
    ratio,
    unit: workload.unit.name,
    ...(workload.unit.name === "MiB" ? { growth: rounded(seaway - baseline) } : {}),
    ...judge(suite.name, workload.name, { ratio, seaway, baseline }),
    messages,
    rounds,
    node: process.version,
  };
}

async function measureRound(workload: Workload, round: number, run: (side: Side) => Promise<number | Pair>): Promise<Pair> {
  const { sides } = workload;
  if ("both" in sides) return (await run(sides.both)) as Pair;
  const [first, second] = roundOrder(round);
  const measured = { [first]: await run(sides[first]), [second]: await run(sides[second]) };
  return measured as unknown as Pair;
}
