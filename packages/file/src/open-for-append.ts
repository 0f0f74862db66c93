/**
 * Opens a file for a writer: makes it, or finds the end of its last whole message and cuts off what is behind it (an end-of-stream, the
 * rest of a write that a crash tore). What a crash does not explain is kept beside the file before it is cut.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import type { StreamerEvent } from "@seaway/core/driver";
import { fileExists, isMissing, missingStream, notAFile, systemCode } from "./errors.ts";
import type { ReadAt } from "./format/beacon-reader.ts";
import { encodeFileHeader, type FileHeader } from "./format/file-header.ts";
import type { EncoderState } from "./format/ss-encoder.ts";
import { scanTail } from "./format/tail-scan.ts";

export interface AppendOptions {
  /** False: a missing file is `stream-not-found`. */
  readonly create: boolean;
  /** An existing file is refused. */
  readonly createOnly: boolean;
  /** For a file that is made. */
  readonly beaconInterval: number;
  /** For the error of a missing file. */
  readonly streamKey: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** A file that can be appended to at `state.offset`, which is its end. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly header: FileHeader;
  readonly state: EncoderState;
}

type Publish = (event: StreamerEvent) => void;

/** A path that is now there, now missing, is given up after so many tries: a link that leads nowhere is both. */
const MAX_TRIES = 3;
const COPY_BYTES = 1024 * 1024;

export async function openForAppend(path: string, options: AppendOptions, publish: Publish): Promise<OpenedFile> {
  for (let tries = 1; ; tries++) {
    const existing = options.createOnly ? undefined : await openIfThere(path);
    const handle = existing ?? (await make(path, options, tries >= MAX_TRIES));
    if (handle === undefined) continue;
    try {
      if (existing !== undefined && !(await handle.stat()).isFile()) throw notAFile(path);
      const cut = existing === undefined ? undefined : await cutTail(path, handle, undefined, publish, options);
      return { handle, ...(cut ?? (await begin(path, handle, options))) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/**
 * Finds the end of the last whole message and makes it the end of the file; `from` saves reading what is known. Undefined if not even
 * the file's header is whole: then it is to be begun anew, from its first byte.
 */
export async function cutTail(
  path: string,
  handle: FileHandle,
  from: EncoderState | undefined,
  publish: Publish,
  { nowMs, signal }: Pick<AppendOptions, "nowMs" | "signal">,
): Promise<Pick<OpenedFile, "header" | "state"> | undefined> {
  const { size } = await handle.stat();
  const scan = await scanTail(readFrom(handle, signal), size, from === undefined ? {} : { from });
  const { header, state, end, tornBytes, isTailCorrupt } = scan;
  // Those behind the end are cut off, and told below.
  const [first, ...others] = scan.problems.filter(({ startOffset }) => startOffset < end);
  if (first !== undefined) {
    const count = others.length + 1;
    const message = `${path} is damaged in ${count} place${count === 1 ? "" : "s"}, first at offset ${first.startOffset}: ${first.reason}`;
    publish({ code: "file-damaged", level: "warn", message, count });
  }
  if (isTailCorrupt) {
    const kept = await keepTail(path, handle, end, size, nowMs);
    const message = `the last ${tornBytes} bytes of ${path} could not be made out and were moved to ${basename(kept)} beside it`;
    publish({ code: "tail-kept", level: "warn", message, count: tornBytes });
  } else if (tornBytes > 0) {
    const message = `${path} ended in the middle of a message, as after a crash or a failed write: its last ${tornBytes} bytes were cut off`;
    publish({ code: "tail-cut", level: "warn", message, count: tornBytes });
  }
  if (end < size) await handle.truncate(end);
  return header === undefined || state === undefined ? undefined : { header, state };
}

export function readFrom(handle: FileHandle, signal?: AbortSignal): ReadAt {
  return async (offset, length) => {
    signal?.throwIfAborted();
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  };
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    // Not blocking: opening a pipe for writing would wait for its reader.
    return await open(path, constants.O_RDWR | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Undefined: somebody else was quicker. */
async function make(path: string, options: AppendOptions, isLastTry: boolean): Promise<FileHandle | undefined> {
  if (!options.create) throw missingStream(options.streamKey, path);
  // A name that the header has no room for is refused before there is a file.
  encodeFileHeader(newHeader(path, options));
  try {
    return await open(path, "wx+");
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    if (options.createOnly) throw fileExists(path);
    if (isLastTry) throw error;
    return undefined;
  }
}

/** Writes the header of an empty file. */
async function begin(path: string, handle: FileHandle, options: AppendOptions): Promise<Pick<OpenedFile, "header" | "state">> {
  if (!options.create) throw missingStream(options.streamKey, path);
  const header = newHeader(path, options);
  const bytes = encodeFileHeader(header);
  await handle.write(bytes, 0, bytes.length, 0);
  return { header, state: { offset: bytes.length, beaconInterval: header.beaconInterval, streams: [], markersWritten: 0 } };
}

function newHeader(path: string, { nowMs, beaconInterval }: AppendOptions): FileHeader {
  return { fileName: basename(path), createdAt: Math.floor(nowMs), beaconInterval };
}

/** Copies the file's end to a file beside it, whose name says when. */
async function keepTail(path: string, handle: FileHandle, end: number, size: number, nowMs: number): Promise<string> {
  const kept = `${path}.torn-${new Date(nowMs).toISOString().replaceAll(":", "-")}`;
  const read = readFrom(handle);
  // Appending: two in one millisecond must not overwrite each other.
  const copy = await open(kept, "a");
  try {
    for (let offset = end; offset < size; ) {
      const chunk = await read(offset, Math.min(COPY_BYTES, size - offset));
      if (chunk.length === 0) break;
      await copy.writeFile(chunk);
      offset += chunk.length;
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
  return kept;
}
