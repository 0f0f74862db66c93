// The benchmark as a program: what it prints where, and what it leaves behind. Small, from source, and without looking at the figures.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "seaway-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

function start(...args: string[]) {
  return spawn(process.execPath, ["--conditions=@seaway/source", main, ...args], {
    env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(...args: string[]): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = start(...args);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, stdout, stderr };
}

describe("the benchmark", () => {
  it("prints one JSON object a line and nothing else, and leaves no file behind", async () => {
    const { code, stdout } = await run("file", "--json", "--only=produce-send-many,consume", "--rounds=2", "--messages=10000");
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ workload }) => workload)).toEqual(["produce-send-many", "consume"]);
    for (const line of lines) {
      expect(line).toMatchObject({ suite: "file", unit: "msg/s", rounds: 2, messages: 10_000, node: process.version });
      for (const name of ["seaway", "baseline", "ratio"]) expect(line[name]).toBeGreaterThan(0);
      expect(typeof line.met).toBe("boolean");
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("prints a table without --json", async () => {
    const { stdout } = await run("memory", "--only=consume", "--rounds=1", "--messages=1000");
    expect(stdout).toMatch(/^suite +workload +seaway +baseline/);
    expect(stdout).toMatch(/^memory +consume /m);
  });

  it("fails with --check when a goal is missed, and only then", async () => {
    // So few messages that the compiler has no time: a million a second is out of reach.
    const args = ["memory", "--only=produce-send", "--rounds=1", "--messages=10"];
    expect((await run(...args)).code).toBe(0);
    const checked = await run(...args, "--check");
    expect(checked.code).toBe(1);
    expect(checked.stderr).toContain("memory/produce-send misses its goal: seaway >= 1000000");
  });

  it("says which names there are", async () => {
    const { code, stderr } = await run("memroy");
    expect(code).toBe(2);
    expect(stderr).toContain('no suite "memroy"; there are memory, file');
  });

  it.skipIf(process.platform === "win32")("leaves nothing behind when it is interrupted", async () => {
    const child = start("file", "--only=produce-enqueue", "--messages=100000", "--rounds=100");
    const exited = once(child, "exit");
    child.stdout.resume();
    for await (const chunk of child.stderr) if (String(chunk).includes("round 1")) break;
    child.kill("SIGTERM");
    expect(await exited).toEqual([null, "SIGTERM"]);
    expect(await readdir(folder)).toEqual([]);
  });
});
