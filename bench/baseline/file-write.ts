/**
 * Baseline of file/produce-*: a bare loop that frames messages into buffers of 1 MiB and writes them with `fs.write` into a fresh file.
 *
 * That is the fastest documented way to write a file from Node: one large buffer, used again, and few calls (filling a second buffer
 * meanwhile was tried and gained nothing). It makes no promise, receipt or object per message.
 */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { makePayloads } from "../src/payloads.ts";
import { rateSince } from "../src/stopwatch.ts";
import type { Job } from "../src/suite.ts";
import { writeLoop } from "./ss-loop.ts";

export default async function fileWrite({ messages, payloadBytes, folder }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  const path = join(folder, "baseline.ss");
  const handle = await open(path, "wx");
  const start = performance.now();
  await writeLoop(handle, "baseline.ss", payloads, messages);
  const rate = rateSince(start, messages);
  await handle.close();
  const { size } = await stat(path);
  if (size < messages * payloadBytes) throw new Error(`the file has only ${size} bytes`);
  return rate;
}
