/** What can go wrong with files, and which code it has. */
import type { ErrorCode, FailureClass } from "@seaway/core/driver";
import { SsFormatError } from "./format/format-error.ts";

/** A failure that this driver found by itself. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly failure: FailureClass;

  constructor(failure: FailureClass, text: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

function failure(code: ErrorCode, text: string): FileError {
  return new FileError({ code, retryable: false }, text);
}

export function missingStream(streamKey: string, path: string): FileError {
  return failure("stream-not-found", `there is no stream "${streamKey}" in ${path}`);
}

/** The file is not the one that was opened. */
export function fileGone(path: string, what: "removed" | "replaced"): FileError {
  return failure(
    what === "removed" ? "stream-not-found" : "corrupt-data",
    `${path} was ${what} while it was in use: what comes there now is another file; producers have to be created again`,
  );
}

export function fileFull(path: string, sizeLimit: number): FileError {
  return failure("stream-full", `${path} has no room left for this message below its sizeLimit of ${sizeLimit} bytes: use another file`);
}

export function fileExists(path: string): FileError {
  return failure("invalid-option", `${path} exists, and create is "only": remove it, or leave create out to append to it`);
}

export function notAFile(path: string): FileError {
  return failure("invalid-url", `${path} is not a regular file: name a file that ends in .ss`);
}

/** A call that the capabilities do not claim; core never makes it. */
export function notClaimed(what: string): FileError {
  return failure("unsupported", what);
}

export function isMissing(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}

export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const SYSTEM_FAILURES: Readonly<Record<string, FailureClass>> = {
  ENOENT: {
    code: "stream-not-found",
    retryable: false,
    advice: "create the directory first; the file itself is made by its first producer",
  },
  ENOTDIR: { code: "invalid-url", retryable: false, advice: "a part of the path is a file, not a directory" },
  EISDIR: { code: "invalid-url", retryable: false, advice: "the path names a directory: name a file that ends in .ss" },
  ENAMETOOLONG: { code: "invalid-url", retryable: false, advice: "choose a shorter name" },
  EACCES: { code: "auth-failed", retryable: false, advice: "give this user the right to read the file, and to write it for producing" },
  EPERM: { code: "auth-failed", retryable: false, advice: "give this user the right to read the file, and to write it for producing" },
  EROFS: { code: "auth-failed", retryable: false, advice: "the file system is mounted read-only" },
  ENOSPC: { code: "stream-full", retryable: false, advice: "the disk is full: free some space" },
  EDQUOT: { code: "stream-full", retryable: false, advice: "this user's quota is used up: free some space" },
  EFBIG: { code: "stream-full", retryable: false, advice: "the file is as large as the system or a limit of this process allows" },
  EMFILE: { code: "backend", retryable: true, advice: "this process has too many files open" },
  ENFILE: { code: "backend", retryable: true, advice: "this machine has too many files open" },
  EAGAIN: { code: "backend", retryable: true },
  EBUSY: { code: "backend", retryable: true },
  EINTR: { code: "backend", retryable: true },
};

export function classifyError(error: unknown): FailureClass {
  if (error instanceof FileError) return error.failure;
  if (error instanceof SsFormatError) return { code: error.code, retryable: false };
  const code = systemCode(error);
  return (code === undefined ? undefined : SYSTEM_FAILURES[code]) ?? { code: "backend", retryable: false };
}
