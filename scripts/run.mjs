// `node scripts/run.mjs <task> [args]`: makes the clone ready, then runs one of the tasks below with the pinned Node; works on Node 20.
import { bootstrap, root } from "./bootstrap.mjs";
import { runChild } from "./child.mjs";

/** What comes before the caller's arguments; `node` is the pinned one. `build`: the task uses the packages as published, from dist. */
const tasks = {
  test: { build: false, command: ["node", "scripts/check.mjs"] },
  demo: { build: true, command: ["node", "examples/demo/src/main.ts"] },
  bench: { build: true, command: ["node", "bench/src/main.ts"] },
  nightly: { build: true, command: ["node", "node_modules/vitest/vitest.mjs", "run", "--config", "vitest.nightly.config.ts"] },
  with: { build: false, command: ["pnpm", "exec"] },
};

const [name = "", ...args] = process.argv.slice(2);
const task = Object.hasOwn(tasks, name) ? tasks[/** @type {keyof typeof tasks} */ (name)] : undefined;
if (task === undefined) {
  console.error(`Unknown task "${name}"; there are ${Object.keys(tasks).join(", ")}.`);
  process.exit(2);
}

try {
  const { node, pnpm, env } = await bootstrap(task);
  const [program, ...rest] = task.command;
  const { code } = await runChild([...(program === "node" ? [node] : pnpm), ...rest, ...args], { cwd: root, env });
  process.exitCode = code;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
