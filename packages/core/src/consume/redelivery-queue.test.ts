import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ManualClock } from "../../test/manual-clock.ts";
import { RedeliveryQueue } from "./redelivery-queue.ts";

it("gives each when it is due, the earliest first, and what is due together in the order of naks", async () => {
  const clock = new ManualClock();
  const due: (readonly string[])[] = [];
  const queue = new RedeliveryQueue<string>(clock, (items) => due.push(items));
  queue.add("late", 300);
  queue.add("first", 100);
  queue.add("second", 100);
  queue.add("now", 0);
  await clock.advance(0);
  expect(due).toEqual([["now"]]);
  await clock.advance(100);
  expect(due.slice(1)).toEqual([["first", "second"]]);
  await clock.advance(199);
  expect(due.length).toBe(2);
  await clock.advance(1);
  expect(due.at(-1)).toEqual(["late"]);
  expect([queue.size, clock.pending]).toEqual([0, 0]);
});

it("has one timer, and none when nothing waits", () => {
  const clock = new ManualClock();
  const queue = new RedeliveryQueue<number>(clock, () => {});
  for (let i = 0; i < 100; i++) queue.add(i, 1000 - i);
  expect(clock.pending).toBe(1);
  expect(queue.remove(() => true).length).toBe(100);
  expect(clock.pending).toBe(0);
});

it("gives all but what was removed, sorted by when it is due", async () => {
  const entries = fc.array(fc.record({ delayMs: fc.nat(50), isRemoved: fc.boolean() }), { maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(entries, async (given) => {
      const clock = new ManualClock();
      const out: number[] = [];
      const queue = new RedeliveryQueue<number>(clock, (items) => out.push(...items));
      for (const [i, { delayMs }] of given.entries()) queue.add(i, delayMs);
      queue.remove((i) => given[i]?.isRemoved === true);
      clock.stall(50);
      await clock.advance(0);
      const kept = given.flatMap(({ delayMs, isRemoved }, i) => (isRemoved ? [] : [{ delayMs, i }]));
      expect(out).toEqual(kept.toSorted((a, b) => a.delayMs - b.delayMs || a.i - b.i).map(({ i }) => i));
    }),
    { numRuns: 50 },
  );
});
