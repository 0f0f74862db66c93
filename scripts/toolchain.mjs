// Finds the Node and pnpm this repository is pinned to: the machine's own where they fit, else a copy fetched from npm into .tools.
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
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

  const fits =
    (ownNode || (await versionOf([node])) === `v${nodePin}`) && (ownPnpm || (await installedVersion(join(modules, "pnpm"))) === pnpmPin);
  const packages = [`node@${nodePin}`, `pnpm@${pnpmPin}`].slice(ownNode ? 1 : 0, ownPnpm ? 1 : 2);
  if (!fits) await step(`fetch ${packages.join(" and ")} from npm`, () => fetchTools(tools, packages));

  const first = [dirname(node), ...(ownPnpm ? [] : [join(modules, ".bin")])];
  return { node, pnpm, env: { ...process.env, PATH: [...first, process.env.PATH].join(delimiter), TURBO_TELEMETRY_DISABLED: "1" } };
}

/** Into a folder of its own, which takes the old one's place when it is complete: an interrupted fetch leaves nothing half done. */
async function fetchTools(/** @type {string} */ tools, /** @type {string[]} */ packages) {
  const fresh = await mkdtemp(join(tools, "incoming-"));
  const npmCli = process.env.npm_execpath ?? "";
  const npm = npmCli.endsWith("npm-cli.js") ? [process.execPath, npmCli] : ["npm"];
  // The node package fetches its binary in an install script, so scripts must run even where the user's npm is told to skip them.
  const flags = ["--prefix", fresh, "--no-audit", "--no-fund", "--ignore-scripts=false"];
  const { code, output } = await runChild([...npm, "install", ...flags, ...packages], { cwd: fresh, keepOutput: true });
  if (code !== 0) throw new Error(`npm could not install ${packages.join(" and ")} into .tools:\n${output}`);
  await rm(join(tools, "node_modules"), { recursive: true, force: true });
  await rename(join(fresh, "node_modules"), join(tools, "node_modules"));
  await rm(fresh, { recursive: true });
}

/** Asked for outside the repository, where pnpm would answer with the pinned version after downloading it. */
async function versionOf(/** @type {readonly string[]} */ command) {
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
