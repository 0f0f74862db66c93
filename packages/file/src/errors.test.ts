import { expect, test } from "vitest";
import { classifyError, fileFull, fileGone } from "./errors.ts";
import { SsFormatError } from "./format/format-error.ts";

const system = (code: string) => Object.assign(new Error(code), { code });

test.each([
  [fileFull("x.ss", 1024), "stream-full", false],
  [fileGone("x.ss", "removed"), "stream-not-found", false],
  [fileGone("x.ss", "replaced"), "corrupt-data", false],
  [new SsFormatError("corrupt-data", "no"), "corrupt-data", false],
  [system("ENOSPC"), "stream-full", false],
  [system("EFBIG"), "stream-full", false],
  [system("EACCES"), "auth-failed", false],
  [system("EISDIR"), "invalid-url", false],
  [system("EMFILE"), "backend", true],
  [system("EIO"), "backend", false],
  [new Error("?"), "backend", false],
  [undefined, "backend", false],
  ["text", "backend", false],
  [{ code: 7 }, "backend", false],
])("%s is %s", (error, code, retryable) => {
  expect(classifyError(error)).toMatchObject({ code, retryable });
});
