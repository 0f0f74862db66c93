// Lets one command at a time set up or build this working copy, so that two of them on a fresh clone do not write over each other.
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const patienceMs = 15 * 60_000;

/**
 * Runs `work` while holding the folder `path`; whoever comes second waits, and takes over from a holder that has died.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  const start = Date.now();
  let told = false;
  while (!(await take(path))) {
    if ((await isAbandoned(path)) && (await clear(path))) continue;
    if (Date.now() - start > patienceMs) throw new Error(`${path} is still held by another command; delete it if none is running`);
    if (!told) process.stderr.write("seaway: waiting for another command that is setting up this folder\n");
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function take(/** @type {string} */ path) {
  try {
    await mkdir(path);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
  await writeFile(`${path}/pid`, String(process.pid));
  return true;
}

/** Looks again while it alone may remove: of two that saw the lock abandoned, the second must not remove what the first has taken since. */
async function clear(/** @type {string} */ path) {
  const guard = `${path}.clearing`;
  if (!(await take(guard))) return false;
  if (await isAbandoned(path)) await rm(path, { recursive: true, force: true });
  await rm(guard, { recursive: true });
  return true;
}

async function isAbandoned(/** @type {string} */ path) {
  try {
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    const pid = Number(await readFile(`${path}/pid`, "utf8").catch(() => ""));
    if (pid === 0) return ageMs > 5_000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH";
  }
}
