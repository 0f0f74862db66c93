/** From a URL to a file: which part of it is the path and which the stream keys, and the one spelling of a path under which a process knows it. */
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { percentDecode, StreamError } from "@seaway/core/driver";

const EXTENSION = ".ss";
const DRIVE = /^\/[A-Za-z]:/;

/**
 * The last segment that ends in `.ss` is the file, and what may follow it are the keys. The authority is the first piece of a
 * relative path: `file://./x.ss`, `file://x.ss/orders`. Commas in the path mean nothing.
 *
 * @throws {StreamError} `invalid-url`
 */
export function splitFilePath(
  path: string,
  authority: string,
  platform: NodeJS.Platform = process.platform,
): { readonly root: string; readonly keys: readonly string[] } {
  const segments = `${authority}${path}`.split("/");
  const last = segments.at(-1) ?? "";
  if (isFileName(last)) return { root: rootOf(segments, platform), keys: [] };
  if (!isFileName(segments.at(-2) ?? "")) {
    throw new StreamError(
      "invalid-url",
      "file://***: the file's name must end in .ss, and behind it stand the keys or nothing, as in file:///data/events.ss/orders",
      { phase: "setup" },
    );
  }
  return { root: rootOf(segments.slice(0, -1), platform), keys: last === "" ? [] : last.split(",") };
}

function isFileName(segment: string): boolean {
  return percentDecode(segment).endsWith(EXTENSION);
}

function rootOf(segments: readonly string[], platform: NodeJS.Platform): string {
  const root = percentDecode(segments.join("/"));
  if (root.includes("\0")) throw new StreamError("invalid-url", "file://***: a path has no NUL in it", { phase: "setup" });
  return platform === "win32" && DRIVE.test(root) ? root.slice(1) : root;
}

/**
 * The one spelling of a path, links followed, for a file that is there or may come. Rejects with `ENOENT` if its directory is missing.
 */
export async function resolveFilePath(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    return join(await realpath(dirname(absolute)), basename(absolute));
  }
}
