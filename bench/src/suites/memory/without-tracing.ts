/** Makes a copy of core's build in which no diagnostics channel is asked whether anybody listens. */

import { globSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Those on the way of a message: if they are not found, the comparison compares nothing. */
const CHANNELS = ["sendChannel", "receiveChannel"];

/** @returns settings that name the copy's entry point */
export async function withoutTracing(folder: string): Promise<Readonly<Record<string, string>>> {
  const entry = fileURLToPath(import.meta.resolve("@seaway/core"));
  const copy = join(folder, "core-without-tracing");
  await cp(dirname(entry), join(copy, "dist"), { recursive: true });
  await writeFile(join(copy, "package.json"), JSON.stringify({ type: "module" }));
  const replaced = new Map<string, number>();
  for (const file of globSync("dist/**/*.js", { cwd: copy })) {
    const path = join(copy, file);
    const before = await readFile(path, "utf8");
    const after = before.replace(/\b(\w+Channel)\.hasSubscribers\b/g, (_, channel: string) => {
      replaced.set(channel, (replaced.get(channel) ?? 0) + 1);
      return "false";
    });
    if (after !== before) await writeFile(path, after);
  }
  const missing = CHANNELS.filter((channel) => !replaced.has(channel));
  if (missing.length > 0) throw new Error(`core's build has no "${missing.join('.hasSubscribers" and no "')}.hasSubscribers" to take out`);
  return { withoutTracing: pathToFileURL(join(copy, "dist", "index.js")).href };
}

/** The build that a side is about. */
export async function importBuild(settings: Readonly<Record<string, string>>): Promise<typeof import("@seaway/core")> {
  return settings.build === "published" ? import("@seaway/core") : import(settings.withoutTracing as string);
}
