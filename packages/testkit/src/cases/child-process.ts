/** Case 76's other process: it uses the driver, closes everything, and then has to end by itself. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CaseContext } from "../conformance/case-context.ts";
import { within } from "../wait/within.ts";
import type { ChildOutcome, ChildTask } from "./child-program.ts";

/** Runs the task in a process of its own; rejects if that fails, or does not exit by itself after it said that it was done. */
export async function runInChild(context: CaseContext, task: Pick<ChildTask, "task" | "count">): Promise<ChildOutcome> {
  const { child, connect } = context.harness;
  if (child === undefined) throw new TypeError("the harness names no driver for a child process");
  const program = new URL(import.meta.url.endsWith(".ts") ? "./child-program.ts" : "./child-program.js", import.meta.url);
  const given: ChildTask = { ...task, url: context.url, streamKey: context.freshStream(), connect: connect ?? {}, driver: child };
  // From source the packages are found by their own condition; built ones need none.
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@seaway/source"] : [];
  const code = `import { runChildTask } from ${JSON.stringify(program.href)};
import { ${child.factory} as factory } from ${JSON.stringify(child.specifier)};
await runChildTask(${JSON.stringify(given)}, factory());`;
  const running = spawn(process.execPath, [...conditions, "--input-type=module", "--eval", code], {
    cwd: child.directory.startsWith("file:") ? fileURLToPath(child.directory) : child.directory,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { out: "", err: "" };
  const done = Promise.withResolvers<void>();
  running.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
    if (output.out.includes("\n")) done.resolve();
  });
  running.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const exit = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    running.on("error", reject);
    running.on("close", (status, signal) => resolve(status ?? signal));
  });
  try {
    // Until it says so it works; from then on nothing may keep it alive.
    await Promise.race([done.promise, exit]);
    const status = await within(exit, context.limits.waitMs, "the child process did all it had to and does not exit");
    if (status !== 0) throw new Error(`the child process ended with ${status}: ${output.err}`);
    return JSON.parse(output.out) as ChildOutcome;
  } finally {
    running.kill("SIGKILL");
  }
}
