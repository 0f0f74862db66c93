// Several commands at once on a fresh clone: one at a time, and a dead holder does not block the others.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { withLock } from "./lock.mjs";

function lockPath() {
  const folder = mkdtempSync(join(tmpdir(), "seaway-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "lock");
}

test("lets one holder in at a time", async () => {
  const path = lockPath();
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(20);
    inside -= 1;
  };
  await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
  expect(most).toBe(1);
});

test("gives the lock back when the work throws", async () => {
  const path = lockPath();
  await expect(withLock(path, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withLock(path, async () => "next")).toBe("next");
});

test("takes over from a holder that has died", async () => {
  const path = lockPath();
  mkdirSync(path);
  // Above any pid that Linux, macOS or Windows hands out.
  writeFileSync(join(path, "pid"), "2147483646");
  let inside = 0;
  const work = async () => {
    expect(++inside).toBe(1);
    await sleep(20);
    inside -= 1;
    return "mine";
  };
  expect(await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)])).toEqual(["mine", "mine", "mine"]);
});
