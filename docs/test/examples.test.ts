// What the documentation says about the examples is so: they run, from source, and print what they should.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { readCodeBlocks } from "./code-blocks.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const quickStart = join(root, "examples", "quick-start", "src", "main.ts");
const lines = ["order 1 of 30, key none, source unknown", "order 2 of 12, key customer-7, source web"];

/** Rejects unless the program ends with 0. */
async function run(program: string, args: readonly string[] = [], cwd: string = root): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@seaway/source", program, ...args], {
    cwd,
    timeout: 60_000,
  });
  return stdout;
}

describe("the quick start", () => {
  it("stands in README.md as it is in examples/quick-start, with what it prints", () => {
    expect(readCodeBlocks(root, "README.md")[0]?.code).toBe(readFileSync(quickStart, "utf8").trimEnd());
    expect(readFileSync(join(root, "README.md"), "utf8")).toContain(lines.join("\n"));
  });

  it("runs in memory", async () => {
    expect((await run(quickStart)).trim().split("\n")).toEqual(lines);
  });

  it("keeps its orders in a file when the URL says so", async () => {
    const folder = await mkdtemp(join(tmpdir(), "seaway-quick-start-"));
    try {
      const program = [quickStart, ["file://./shop.ss"], folder] as const;
      await run(...program);
      expect((await run(...program)).trim().split("\n")).toEqual([...lines, ...lines]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("the worker in README.md", () => {
  it("runs as pasted, retries, dead-letters, and ends by itself", async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const [, worker] = readCodeBlocks(root, "README.md");
    const program = ["--conditions=@seaway/source", "--input-type=module-typescript", "--eval", worker?.code ?? ""];
    // From a folder in which the packages are found.
    const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: join(root, "docs"), timeout: 60_000 });
    expect(stdout).toContain("dead letter");
    expect(readme).toContain(`\`\`\`text\n${stdout}\`\`\``);
  });
});

describe("the demo", () => {
  it("ends by itself, and all it checks is so", async () => {
    const output = await run(join(root, "examples", "demo", "src", "main.ts"));
    expect(output).toContain("All of that was so.");
    expect(output).not.toContain("✗");
  });
});
