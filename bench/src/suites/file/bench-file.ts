/** The file of one measurement. */
import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { readLoop, writeLoop } from "../../../baseline/ss-loop.ts";
import { makePayloads } from "../../payloads.ts";
import { assertCount } from "../../stopwatch.ts";

export function pathIn(folder: string): string {
  return join(folder, "seaway.ss");
}

export function urlOf(path: string): string {
  return pathToFileURL(path).href;
}

/** Reads what was written with the baseline's loop: it holds as many messages, undamaged, in the same bytes. */
export async function assertWritten(path: string, messages: number): Promise<void> {
  const handle = await open(path, "r");
  try {
    assertCount("messages in the file", await readLoop(handle), messages);
  } finally {
    await handle.close();
  }
}

/** The file that the baseline reads, too. */
export async function writeForReading(path: string, messages: number, payloadBytes: number): Promise<void> {
  const handle = await open(path, "wx");
  try {
    await writeLoop(handle, basename(path), makePayloads(payloadBytes), messages);
  } finally {
    await handle.close();
  }
}
