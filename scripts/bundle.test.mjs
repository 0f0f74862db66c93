// Bundles a small package that has what real ones have: two entries that share a class, imports from outside, and an import by name.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { bundlePackage } from "./bundle.mjs";

const entry = (/** @type {string} */ name) => ({ "@seaway/source": `./src/${name}.ts`, default: `./dist/${name}.js` });

const sources = {
  "package.json": JSON.stringify({
    type: "module",
    sideEffects: false,
    exports: { ".": entry("index"), "./driver": entry("driver/index"), "./package.json": "./package.json" },
  }),
  "src/index.ts": `import { join } from "node:path";
import type { Gone } from "not-installed/types";
export { Failure } from "./failure.ts";
export const load = (name: string): Promise<Gone> => import(name);
export const lazily = (): Promise<unknown> => import("not-installed");
export const path: string = join("a", "b");`,
  "src/driver/index.ts": 'export { Failure } from "../failure.ts";',
  "src/failure.ts": "/** Why. */\nexport class Failure extends Error { override readonly name: string = 'Failure'; #cause = 1; }",
};

function plant(/** @type {Record<string, string>} */ files) {
  const folder = mkdtempSync(join(tmpdir(), "seaway-bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries({ ...sources, ...files })) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("gives entries that share one class, and leaves imports from outside as they are", async () => {
  const folder = plant({});
  await bundlePackage(folder);
  const load = (/** @type {string} */ path) => import(/* @vite-ignore */ pathToFileURL(join(folder, "dist", path)).href);
  const index = await load("index.js");
  expect(index.Failure).toBe((await load("driver/index.js")).Failure);
  expect(await index.load("node:fs")).toBe(await import("node:fs"));
  await expect(index.lazily()).rejects.toThrow("not-installed");
  const text = readFileSync(join(folder, "dist/index.js"), "utf8");
  expect(text).toContain('import { join } from "node:path"');
  expect(text).not.toContain("not-installed/types");
});

test("names the sources in the source maps", async () => {
  const folder = plant({});
  await bundlePackage(folder);
  const map = JSON.parse(readFileSync(join(folder, "dist/shared.js.map"), "utf8"));
  expect(map.sources).toEqual(["../src/failure.ts"]);
});

test("writes only what has changed, and removes scripts of former builds but no declarations", async () => {
  const folder = plant({ "dist/failure.js": "", "dist/old/gone.js.map": "", "dist/failure.d.ts": "", "dist/failure.d.ts.map": "" });
  await bundlePackage(folder);
  const before = new Date(1000);
  for (const path of ["index.js", "shared.js"]) utimesSync(join(folder, "dist", path), before, before);
  writeFileSync(join(folder, "src/failure.ts"), "export class Failure extends Error {}");
  await bundlePackage(folder);
  expect(statSync(join(folder, "dist/index.js")).mtime).toEqual(before);
  expect(statSync(join(folder, "dist/shared.js")).mtime).not.toEqual(before);
  expect(readdirSync(join(folder, "dist"))).toEqual(expect.arrayContaining(["failure.d.ts", "failure.d.ts.map"]));
  expect(existsSync(join(folder, "dist/failure.js"))).toBe(false);
  expect(existsSync(join(folder, "dist/old/gone.js.map"))).toBe(false);
});

test("fails on a warning", async () => {
  const folder = plant({ "src/index.ts": 'import * as failure from "./failure.ts"; export const missing: unknown = failure.Missing;' });
  await expect(bundlePackage(folder)).rejects.toThrow("Missing");
});
