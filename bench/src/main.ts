/** `npm run bench -- [suite …] [options]`: README.md beside this folder says what there is. */
import { ArgumentError, type Arguments, parseArguments } from "./arguments.ts";
import { type Result, runWorkload } from "./run-workload.ts";
import type { Suite, Workload } from "./suite.ts";
import { SUITES } from "./suites/index.ts";
import { formatTable } from "./table.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

/** The chosen workloads; every name that was given must be there. */
function select({ suites, only }: Arguments): { readonly suite: Suite; readonly workload: Workload }[] {
  const known = SUITES.map(({ name }) => name);
  const unknown = suites.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ArgumentError(`no suite "${unknown}"; there are ${known.join(", ")}`);
  const inSuites = SUITES.filter(({ name }) => suites.length === 0 || suites.includes(name)).flatMap((suite) =>
    suite.workloads.map((workload) => ({ suite, workload })),
  );
  const names = inSuites.map(({ workload }) => workload.name);
  const missing = only.find((name) => !names.includes(name));
  if (missing !== undefined) throw new ArgumentError(`no workload "${missing}"; there are ${[...new Set(names)].join(", ")}`);
  return inSuites.filter(({ workload }) => only.length === 0 || only.includes(workload.name));
}

async function main(): Promise<void> {
  const args = parseArguments(process.argv.slice(2));
  const selected = select(args);
  using folder = await makeTemporaryFolder();
  const results: Result[] = [];
  for (const { suite, workload } of selected) {
    process.stderr.write(`${suite.name}/${workload.name}: ${workload.what}\n`);
    const result = await runWorkload(suite, workload, {
      rounds: args.rounds,
      messages: args.messages,
      folder: folder.path,
      progress: (text) => process.stderr.write(`  ${text}\n`),
    });
    results.push(result);
    if (args.json) console.log(JSON.stringify(result));
  }
  if (!args.json) console.log(formatTable(results));
  const missed = results.filter(({ met }) => met === false);
  for (const { suite, workload, goal } of missed) process.stderr.write(`${suite}/${workload} misses its goal: ${goal}\n`);
  if (args.check && missed.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof ArgumentError ? error.message : error);
  process.exitCode = error instanceof ArgumentError ? 2 : 1;
}
