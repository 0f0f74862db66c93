import { describe, expect, it } from "vitest";
import { PrefetchTarget } from "./prefetch-target.ts";

describe("how far to read ahead", () => {
  it("doubles while all that was asked for is used up, to its bound", () => {
    const target = new PrefetchTarget(100, true);
    target.adapt(0, 0, 0);
    const targets: number[] = [];
    let taken = 0;
    for (let i = 1; i < 5; i++) {
      targets.push(target.messages);
      taken += target.messages;
      target.adapt(0, taken, i);
    }
    expect([...targets, target.messages]).toEqual([32, 64, 100, 100, 100]);
  });

  it("does not grow while little comes: it would hoard the next burst", () => {
    const target = new PrefetchTarget(100, true);
    target.adapt(0, 0, 0);
    const before = target.messages;
    for (let i = 1; i < 10; i++) target.adapt(0, i, i * 5000);
    expect(target.messages).toBe(before);
  });

  it("comes to two seconds of work, at least one message", () => {
    const target = new PrefetchTarget(1000, true);
    target.adapt(0, 0, 0);
    target.adapt(16, 16, 160);
    expect(target.messages).toBe(200);
    target.adapt(16, 17, 60_000);
    expect(target.messages).toBe(1);
    target.adapt(0, 18, 60_001);
    expect(target.messages).toBe(2);
  });

  it("is always all where it does not follow the program", () => {
    const target = new PrefetchTarget(1000, false);
    target.adapt(500, 1, 60_000);
    expect(target.messages).toBe(1000);
  });
});
