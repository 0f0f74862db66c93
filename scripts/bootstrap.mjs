// Makes a clone ready to run: toolchain, dependencies and, if asked, the build; each part is skipped or quick when it is up to date.
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { findToolchain } from "./toolchain.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const lockPath = join(root, ".tools", "lock");

/**
 * @param {{ build: boolean }} options
 * @returns {Promise<import("./toolchain.mjs").Toolchain>}
 */
export async function bootstrap({ build }) {
  await mkdir(dirname(lockPath), { recursive: true });
  return withLock(lockPath, async () => {
    const tools = await findToolchain(root, step);
    await step("install dependencies", () => must([...tools.pnpm, "install", "--frozen-lockfile", "--prefer-offline"], tools.env));
    if (build) {
      await step("build", async () => {
        await must([tools.node, "node_modules/typescript/bin/tsc", "-b", "tsconfig.build.json"], tools.env);
        await must([tools.node, "scripts/bundle.mjs"], tools.env);
      });
    }
    return tools;
  });
}

/** Progress goes to stderr: stdout belongs to the task. */
async function step(/** @type {string} */ label, /** @type {() => Promise<unknown>} */ work) {
  const start = Date.now();
  process.stderr.write(`seaway: ${label} … `);
  try {
    await work();
    process.stderr.write(`${((Date.now() - start) / 1000).toFixed(1)} s\n`);
  } catch (error) {
    process.stderr.write("failed\n");
    throw error;
  }
}

async function must(/** @type {string[]} */ command, /** @type {NodeJS.ProcessEnv} */ env) {
  const { code, output } = await runChild(command, { cwd: root, env, keepOutput: true });
  if (code !== 0) throw new Error(output);
}
