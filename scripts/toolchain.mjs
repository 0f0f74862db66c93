// Finds the Node and pnpm this repository is pinned to: the machine's own where they fit, else a copy fetched from npm into .tools.
import { mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { runChild } from "./child.mjs";

/** @typedef {{ node: string, pnpm: readonly string[], env: NodeJS.ProcessEnv }} Toolchain */

/**
 * @param {string} root the repository
 * @param {(label: string, work: () => Promise<unknown>) => Promise<unknown>} step reports a slow part
 * @returns {Promise<Toolchain>} `env` has both first on its PATH
 */
export async function findToolchain(root, step) {
  const nodePin = (await readFile(join(root, ".node-version"), "utf8")).trim();
  const pnpmPin = JSON.parse(await readFile(join(root, "package.json"), "utf8")).packageManager.replace("pnpm@", "");
  const tools = join(root, ".tools");
  const modules = join(tools, "node_modules");
  const fetched = {
    node: join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node"),
    pnpm: join(modules, "pnpm", "bin", "pnpm.mjs"),
  };

  const ownNode = major(process.versions.node) >= major(nodePin);
  const node = ownNode ? process.execPath : fetched.node;
  const ownPnpm = (await versionOf(["pnpm"])) === pnpmPin;
  const pnpm = ownPnpm ? ["pnpm"] : [node, fetched.pnpm];

  /** @type {string[]} */
  const missing = [];
  if (!ownNode && (await versionOf([node])) !== `v${nodePin}`) missing.push(`node@${nodePin}`);
  if (!ownPnpm && (await installedVersion(join(modules, "pnpm"))) !== pnpmPin) missing.push(`pnpm@${pnpmPin}`);
  if (missing.length > 0) await step(`fetch ${missing.join(" and ")} from npm`, () => fetchTools(tools, missing));

  const first = [dirname(node), ...(ownPnpm ? [] : [join(modules, ".bin")])];
  return { node, pnpm, env: { ...process.env, PATH: [...first, process.env.PATH].join(delimiter), TURBO_TELEMETRY_DISABLED: "1" } };
}

async function fetchTools(/** @type {string} */ tools, /** @type {string[]} */ packages) {
  await mkdir(tools, { recursive: true });
  const npmCli = process.env.npm_execpath ?? "";
  const npm = npmCli.endsWith("npm-cli.js") ? [process.execPath, npmCli] : ["npm"];
  // The node package fetches its binary in an install script, so scripts must run even where the user's npm is told to skip them.
  const flags = ["--prefix", tools, "--no-audit", "--no-fund", "--ignore-scripts=false"];
  const { code, output } = await runChild([...npm, "install", ...flags, ...packages], { cwd: tools, keepOutput: true });
  if (code !== 0) throw new Error(`npm could not install ${packages.join(" and ")} into .tools:\n${output}`);
}

/** Asked for outside the repository, where pnpm would answer with the pinned version after downloading it. */
async function versionOf(/** @type {string[]} */ command) {
  const { code, output } = await runChild([...command, "--version"], { cwd: tmpdir(), keepOutput: true }).catch(() => ({
    code: 1,
    output: "",
  }));
  return code === 0 ? output.trim() : undefined;
}

async function installedVersion(/** @type {string} */ folder) {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
  return JSON.parse(text).version;
}

/** @returns {number} */
function major(/** @type {string} */ version) {
  return Number(version.split(".")[0]);
}
