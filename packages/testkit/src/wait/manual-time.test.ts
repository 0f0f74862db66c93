import { expect, test } from "vitest";
import { ManualTime } from "./manual-time.ts";

test("runs timers in the order in which they are due, at their own moments, and stops where it was told", async () => {
  const time = new ManualTime();
  const clock = time.clock();
  const startMs = clock.monotonic();
  const ran: string[] = [];
  const note = (name: string) => () => ran.push(`${name} at ${clock.monotonic() - startMs}`);
  clock.setTimer(note("late"), 30);
  clock.setTimer(() => {
    note("first")();
    clock.setTimer(note("set by the first"), 5);
  }, 10);
  clock.setTimer(note("beyond"), 41);
  await time.advance(40);
  expect(ran).toEqual(["first at 10", "set by the first at 15", "late at 30"]);
  expect(clock.now() - startMs).toBe(40);
  await time.advance(1);
  expect(ran.at(-1)).toBe("beyond at 41");
});

test("runs nothing that was cancelled, also by a timer of the same moment", async () => {
  const time = new ManualTime();
  const clock = time.clock();
  const ran: string[] = [];
  clock.setTimer(() => {
    ran.push("first");
    second.cancel();
  }, 10);
  const second = clock.setTimer(() => ran.push("second"), 10);
  clock.setTimer(() => ran.push("cancelled"), 5).cancel();
  await time.advance(20);
  expect(ran).toEqual(["first"]);
});

test("what a timer sets off has come to rest before the next one runs", async () => {
  const time = new ManualTime();
  const clock = time.clock();
  const ran: string[] = [];
  clock.setTimer(() => void Promise.resolve().then(() => setImmediate(() => ran.push("set off"))), 1);
  clock.setTimer(() => ran.push("next"), 2);
  await time.advance(2);
  expect(ran).toEqual(["set off", "next"]);
});

test("a frozen clock's timers wait, and run late when it goes on; another clock's do not wait for them", async () => {
  const time = new ManualTime();
  const [frozen, running] = [time.clock(), time.clock()];
  const startMs = time.nowMs;
  const ran: string[] = [];
  frozen.setTimer(() => ran.push(`frozen at ${time.nowMs - startMs}`), 10);
  running.setTimer(() => ran.push(`running at ${time.nowMs - startMs}`), 20);
  frozen.isFrozen = true;
  await time.advance(50);
  expect(ran).toEqual(["running at 20"]);
  expect(frozen.monotonic() - startMs).toBe(50);
  frozen.isFrozen = false;
  await time.advance(0);
  expect(ran.at(-1)).toBe("frozen at 50");
});
