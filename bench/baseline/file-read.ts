/**
 * Baseline of file/consume: a bare loop that reads a file in pieces of 1 MiB, finds every message and checks its checksum.
 *
 * That is the fastest documented way to read a file from Node: large reads into one buffer that is used again (a second read under way
 * meanwhile was tried and gained nothing). It makes no object per message.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { makePayloads } from "../src/payloads.ts";
import { assertCount, rateSince } from "../src/stopwatch.ts";
import type { Job } from "../src/suite.ts";
import { readLoop, writeLoop } from "./ss-loop.ts";

export default async function fileRead({ messages, payloadBytes, folder }: Job): Promise<number> {
  const path = join(folder, "baseline.ss");
  const written = await open(path, "wx");
  await writeLoop(written, "baseline.ss", makePayloads(payloadBytes), messages);
  await written.close();
  const handle = await open(path, "r");
  const start = performance.now();
  const count = await readLoop(handle);
  const rate = rateSince(start, messages);
  await handle.close();
  assertCount("messages", count, messages);
  return rate;
}
