// Every goal, with every round, on the built packages.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { GOALS } from "./goals.ts";

it("every goal is met", async () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main, "--json"]);
  const results = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const { suite, workload } of GOALS) {
    expect(
      results.find((result) => result.suite === suite && result.workload === workload),
      `${suite}/${workload}`,
    ).toBeDefined();
  }
  expect(results.filter(({ met }) => met === false)).toEqual([]);
});
