import { describe, expect, it } from "vitest";
import { median, ratioOf, rounded, roundOrder } from "./statistics.ts";
import { MESSAGES_PER_SECOND, MILLISECONDS } from "./suite.ts";

describe("the benchmark's arithmetic", () => {
  it("takes the middle of an odd number of values and the mean of the two middle ones of an even number", () => {
    expect(median([3])).toBe(3);
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 100, 4])).toBe(7);
    expect(() => median([])).toThrow(TypeError);
  });

  it("leaves the values it was given in their order", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("gives a ratio that is higher when we are better, of rates and of times", () => {
    expect(ratioOf(MESSAGES_PER_SECOND, 500, 1000)).toBe(0.5);
    expect(ratioOf(MILLISECONDS, 500, 1000)).toBe(2);
  });

  it("alternates A B B A", () => {
    const sides = [0, 1, 2, 3].flatMap((round) => roundOrder(round).map((side) => side[0]));
    expect(sides.join("")).toBe("sbbssbbs");
  });

  it("rounds to what can be told apart", () => {
    expect(rounded(1_234_567.89)).toBe(1_234_568);
    expect(rounded(0.123456)).toBe(0.1235);
    expect(rounded(-1.5)).toBe(-1.5);
  });
});
