/** A file open for reading, and whether it still is the one that its path names. */
import { type FileHandle, open } from "node:fs/promises";
import type { CallOptions } from "@seaway/core/driver";
import { isMissing, notAFile } from "./errors.ts";
import { type FileSurvey, surveyFile } from "./file-survey.ts";
import { lookAt } from "./file-watch.ts";
import type { ReadAt } from "./format/beacon-reader.ts";
import { beginsLikeSsFile, decodeFileHeader, FILE_HEADER_BYTES, type FileHeader } from "./format/file-header.ts";
import { readFrom } from "./open-for-append.ts";

/** `moved`: the path is missing or names another file, and all of this one was read. */
export type FileSize = { readonly size: number } | { readonly gone: "removed" | "replaced" };

export class FileReader {
  readonly path: string;
  readonly header: FileHeader;
  readonly read: ReadAt;
  readonly #handle: FileHandle;
  readonly #dev: bigint;
  readonly #ino: bigint;
  #isClosed = false;

  private constructor(path: string, handle: FileHandle, header: FileHeader, dev: bigint, ino: bigint) {
    this.path = path;
    this.header = header;
    this.read = readFrom(handle);
    this.#handle = handle;
    this.#dev = dev;
    this.#ino = ino;
  }

  /** Undefined if there is no file yet, or its header is still being written. Rejects `corrupt-data` for what is no `.ss` file. */
  static async open(path: string): Promise<FileReader | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw notAFile(path);
      const head = await readFrom(handle)(0, FILE_HEADER_BYTES);
      if (head.length === FILE_HEADER_BYTES || !beginsLikeSsFile(head)) {
        return new FileReader(path, handle, decodeFileHeader(head), stats.dev, stats.ino);
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  /** Bytes in the file by now. `readTo`: as far as it was read. */
  async sizeNow(readTo: number): Promise<FileSize> {
    const there = await lookAt(this.path);
    if (there !== undefined && there.ino === this.#ino && there.dev === this.#dev) return { size: there.size };
    // Not at its place any more; but what was still written to it is read first.
    const { size } = await this.#handle.stat();
    if (size > readTo) return { size };
    return { gone: there === undefined ? "removed" : "replaced" };
  }

  /** Whether the file was not written anew in place. */
  async isSame(): Promise<boolean> {
    const head = await this.read(0, FILE_HEADER_BYTES);
    if (head.length < FILE_HEADER_BYTES) return false;
    try {
      const { createdAt, beaconInterval } = decodeFileHeader(head);
      return createdAt === this.header.createdAt && beaconInterval === this.header.beaconInterval;
    } catch {
      return false;
    }
  }

  async survey(call?: CallOptions): Promise<FileSurvey> {
    const { size } = await this.#handle.stat();
    const read: ReadAt = (offset, length) => {
      call?.signal.throwIfAborted();
      return this.read(offset, length);
    };
    return surveyFile(read, size);
  }

  /** Idempotent. Reads that are under way come to their end before. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close();
  }
}
