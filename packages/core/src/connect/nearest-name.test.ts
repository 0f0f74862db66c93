import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest-name.ts";

describe("the nearest name", () => {
  const known = ["mode", "group", "autoCommit", "autoStreamReset", "maxPrefetchBytes"];

  it.each([
    ["grop", "group"],
    ["Group", "group"],
    ["autocomit", "autoCommit"],
    ["autoStreamRest", "autoStreamReset"],
    ["maxPrefetchByte", "maxPrefetchBytes"],
    ["modes", "mode"],
  ])("to %s is %s", (mistaken, expected) => {
    expect(nearestName(mistaken, known)).toBe(expected);
  });

  it.each(["", "x", "xyz", "concurrency", "y".repeat(10_000)])("to %s is none", (mistaken) => {
    expect(nearestName(mistaken, known)).toBeUndefined();
  });
});
