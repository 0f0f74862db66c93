import { describe, expect, it } from "vitest";
import { ArgumentError, parseArguments } from "./arguments.ts";

describe("the benchmark's command line", () => {
  it("asks for everything when nothing is said", () => {
    expect(parseArguments([])).toEqual({ suites: [], only: [], json: false, check: false, rounds: undefined, messages: undefined });
  });

  it("takes suites, workloads and numbers", () => {
    const parsed = parseArguments([
      "memory",
      "--json",
      "--only",
      "consume,import",
      "--only=produce-send",
      "--rounds",
      "7",
      "--messages=1_000",
    ]);
    expect(parsed).toMatchObject({
      suites: ["memory"],
      only: ["consume", "import", "produce-send"],
      json: true,
      rounds: 7,
      messages: 1000,
    });
  });

  it("refuses what it does not know, and numbers that are none", () => {
    expect(() => parseArguments(["--rouds", "7"])).toThrow(ArgumentError);
    for (const text of ["0", "-1", "1.5", "many", ""]) expect(() => parseArguments([`--rounds=${text}`])).toThrow(ArgumentError);
  });
});
