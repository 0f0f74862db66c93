// Everything `npm test` asks: one line per check, the output of those that fail, and as the last line "N passed, N failed, N skipped".
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { lockPath, root } from "./bootstrap.mjs";
import { runChild } from "./child.mjs";
import { withLock } from "./lock.mjs";

const report = join(root, "node_modules", ".cache", "vitest-report.json");
const bin = (/** @type {string} */ path) => [process.execPath, join(root, "node_modules", path)];

/** In this order: what is built by "types" and "bundles" is looked at by those after it. */
const checks = [
  { name: "format and lint", command: [...bin("@biomejs/biome/bin/biome"), "check", "--error-on-warnings", "--colors=off"] },
  { name: "package arrows", command: [process.execPath, "scripts/package-arrows.mjs"] },
  { name: "types", command: [...bin("typescript/bin/tsc"), "-b"], writes: true },
  { name: "bundles", command: [process.execPath, "scripts/bundle.mjs"], writes: true },
  { name: "floating promises", command: [...bin("eslint/bin/eslint.js"), "--no-color", "--max-warnings=0", "."] },
  { name: "unused code and dependencies", command: [...bin("knip/bin/knip.js"), "--no-progress"] },
  { name: "published packages (publint, attw)", command: [...bin("turbo/bin/turbo"), "run", "check:package", "--output-logs=errors-only"] },
];

let failed = 0;
let number = 0;
const total = checks.length + 1;

for (const { name, command, writes } of checks) {
  const start = Date.now();
  process.stdout.write(`[${++number}/${total}] ${name} … `);
  const work = () => runChild(command, { cwd: root, keepOutput: true });
  const { code, interrupted, output } = await (writes ? withLock(lockPath, work) : work());
  if (interrupted) process.exit(code || 130);
  process.stdout.write(`${code === 0 ? "ok" : "FAILED"} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`);
  if (code !== 0) failed += 1;
}

process.stdout.write(`[${++number}/${total}] tests\n`);
await rm(report, { force: true });
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const { code, interrupted } = await runChild([...bin("vitest/vitest.mjs"), "run", ...reporters, ...process.argv.slice(2)], { cwd: root });
if (interrupted) process.exit(code || 130);

const counts = await readCounts();
// A run that ended badly without a failed test (none found, a crash, an unhandled rejection) is a failure too.
failed += code !== 0 ? Math.max(1, counts.failed) : counts.failed;
console.log(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;

/** The tests as vitest counted them, and each file that could not even be loaded as one failed. */
async function readCounts() {
  const text = await readFile(report, "utf8").catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const json = JSON.parse(text);
  const unloadable = json.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests + unloadable,
    skipped: json.numPendingTests + (json.numTodoTests ?? 0),
  };
}
