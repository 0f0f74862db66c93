// Bundles each package's src into its dist, beside the declarations from `tsc -b`: one module per entry of `exports`, and one that entries
// share (docs/decisions/002). Only what has changed is written; scripts that belong to no entry any more are removed.
import { globSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

/** @param {string} folder a package */
export async function bundlePackage(folder) {
  const files = await render(folder);
  const dist = join(folder, "dist");
  for (const path of globSync("**/*.{js,js.map}", { cwd: dist })) {
    if (!files.has(path.replaceAll(sep, "/"))) await rm(join(dist, path));
  }
  for (const [path, text] of files) {
    const target = join(dist, path);
    if ((await readFile(target, "utf8").catch(() => undefined)) === text) continue;
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}

/** By path in dist. All entries go through one call, so that what two of them export, such as StreamError, stays one class. */
async function render(/** @type {string} */ folder) {
  const bundle = await rolldown({
    cwd: folder,
    input: await entriesOf(folder),
    platform: "node",
    tsconfig: false,
    transform: { target: "node24" },
    // Whatever is not a file of the package itself.
    external: (specifier) => !specifier.startsWith(".") && !isAbsolute(specifier),
    onLog(level, { message }) {
      if (level === "warn") throw new Error(message);
    },
  });
  try {
    const { output } = await bundle.generate({
      dir: "dist",
      format: "es",
      chunkFileNames: "[name].js",
      codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] },
      minifyInternalExports: false,
      sourcemap: true,
      // They are published in src.
      sourcemapExcludeSources: true,
    });
    return new Map(output.map((file) => [file.fileName, file.type === "chunk" ? file.code : String(file.source)]));
  } finally {
    await bundle.close();
  }
}

/** By path in dist without its extension, such as `driver/index`: each module of src that the manifest's `exports` name. */
async function entriesOf(/** @type {string} */ folder) {
  /** @type {{ exports: Record<string, string | { "@seaway/source": string, default: string }> }} */
  const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const modules = Object.values(exports).filter((target) => typeof target === "object");
  return Object.fromEntries(modules.map((target) => [target.default.replace(/^\.\/dist\/|\.js$/g, ""), target["@seaway/source"]]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = dirname(import.meta.dirname);
  for (const path of globSync("packages/*/package.json", { cwd: root })) {
    await bundlePackage(join(root, dirname(path))).catch((/** @type {Error} */ { message }) => {
      console.error(`${path.split(sep)[1]}: ${message}`);
      process.exitCode = 1;
    });
  }
}
