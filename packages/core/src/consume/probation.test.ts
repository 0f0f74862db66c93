import { describe, expect, it } from "vitest";
import { Probation } from "./probation.ts";

describe("probation", () => {
  it("judges by the count, and by whether the message failed here", () => {
    const probation = new Probation(3, false, false);
    expect([1, 2].map((count) => probation.judge(count, false))).toEqual(["fine", "fine"]);
    expect([3, 4, 5].map((count) => probation.judge(count, false))).toEqual(["alone", "alone", "dead-letter"]);
    expect([3, 4, 5].map((count) => probation.judge(count, true))).toEqual(["fine", "fine", "fine"]);
  });

  it("begins with the first suspect, and ends with the first message above suspicion", () => {
    const probation = new Probation(3, false, false);
    const seen = [1, 3, 4, 1, 1].map((count) => {
      probation.judge(count, false);
      return [probation.isOn, probation.begins, probation.ends];
    });
    expect(seen).toEqual([
      [false, false, false],
      [true, true, false],
      [true, false, false],
      [false, false, true],
      [false, false, false],
    ]);
  });

  it("has more patience where the broker counts what was given back", () => {
    const probation = new Probation(3, true, false);
    expect([3, 16, 17].map((count) => probation.judge(count, false))).toEqual(["alone", "alone", "dead-letter"]);
  });

  it("only suspects where one cannot be asked for, and never dead-letters unhandled", () => {
    const probation = new Probation(3, true, true);
    expect([2, 3, 1000].map((count) => probation.judge(count, false))).toEqual(["fine", "suspect", "suspect"]);
    expect([probation.isOn, probation.isPoison(1000)]).toEqual([false, false]);
  });

  it("never is where there is no limit", () => {
    const probation = new Probation(undefined, false, false);
    expect([probation.judge(1000, false), probation.isPoison(1000)]).toEqual(["fine", false]);
  });
});
