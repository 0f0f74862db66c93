import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@seaway/core";
import { file } from "@seaway/file";
import { expect, test } from "vitest";
import { decodeFile } from "./fixtures/sample-files.ts";
import { readAll, TempFile } from "./fixtures/temp-file.ts";
import { outputOf, startWriter } from "./fixtures/writing-process.ts";

/** Sends until nothing fits any more; prints how many were stored, the failures' codes, and what a last small message came to. */
const FILL = `
const results = await producer.sendMany(Array.from({ length: 3000 }, (_, i) => ({ value: "m-" + i + "-" + "x".repeat(200) })));
const stored = results.filter(({ status }) => status === "fulfilled").map(({ value }) => Number(value.sequence));
const codes = [...new Set(results.filter(({ status }) => status === "rejected").map(({ reason }) => reason.code + " " + reason.retryable))];
console.log(JSON.stringify({ stored: stored.length, inOrder: stored.every((n, i) => n === i + 1), codes }));
await streamer.close();`;

interface Outcome {
  readonly stored: number;
  readonly inOrder: boolean;
  readonly codes: readonly string[];
}

test.skipIf(process.platform === "win32")(
  "a write that the system cuts short loses nothing that had its receipt, and leaves no torn message",
  async () => {
    await using temp = new TempFile();
    // Blocks of 512 bytes: the system ends a write in the middle of a message, the next one fails.
    const outcome: Outcome = JSON.parse(await outputOf(startWriter(temp.path, FILL, "ulimit -f 600; exec")));
    expect(outcome).toMatchObject({ inOrder: true, codes: ["stream-full false"] });
    expect(outcome.stored).toBeGreaterThan(1000);
    expect(statSync(temp.path).size).toBeLessThanOrEqual(600 * 1024);
    const items = decodeFile(temp.bytes);
    expect(items.every(({ kind }) => kind === "message")).toBe(true);
    expect(items.length).toBe(outcome.stored);
    // In a process without the limit the file goes on where it was left.
    const streamer = await temp.connect();
    const receipt = await (await streamer.createProducer("s")).send("after");
    expect(receipt.sequence).toBe(BigInt(outcome.stored + 1));
    expect(temp.eventCodes()).toEqual([]);
    expect((await readAll(streamer)).length).toBe(outcome.stored + 1);
  },
);

function shell(line: string): void {
  execFileSync("/bin/sh", ["-c", line], { stdio: "ignore" });
}

/** A file system of 256 KiB, where this process may mount one. */
function smallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "seaway-disk-"));
  try {
    shell(`mount -t tmpfs -o size=256k tmpfs '${directory}'`);
    return directory;
  } catch {
    rmSync(directory, { recursive: true });
    return undefined;
  }
}

test("a full disk is stream-full, and once there is room the same producer goes on", async (context) => {
  const disk = smallDisk();
  if (disk === undefined) return context.skip("this user may not mount a small file system; the test above does the same by a limit");
  try {
    writeFileSync(`${disk}/ballast`, Buffer.alloc(128 * 1024));
    await using streamer = await connect(`file://${disk}/x.ss`, { drivers: [file()] });
    const producer = await streamer.createProducer("s");
    const send = (count: number) => producer.sendMany(Array.from({ length: count }, () => ({ value: "x".repeat(1000) })));
    const results = await send(300);
    const stored = results.filter(({ status }) => status === "fulfilled").length;
    expect(stored).toBeGreaterThan(50);
    expect(stored).toBeLessThan(140);
    expect(results.at(-1)).toMatchObject({ reason: { code: "stream-full", message: expect.stringContaining("free some space") } });
    expect((await readAll(streamer)).length).toBe(stored);
    rmSync(`${disk}/ballast`);
    const [next] = await send(1);
    expect(next).toMatchObject({ value: { sequence: BigInt(stored + 1) } });
    expect((await readAll(streamer)).length).toBe(stored + 1);
  } finally {
    shell(`umount '${disk}'`);
    rmSync(disk, { recursive: true });
  }
});
