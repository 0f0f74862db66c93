import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeDriver } from "../../test/fake-driver.ts";
import { loadDriver } from "./load-driver.ts";

const DRIVER = (scheme: string): string => `{ name: "${scheme}", schemes: ["${scheme}"], open() {} }`;

/** An application's folder with drivers of its own, in which the process works meanwhile. */
let folder: string;
let before: string;

async function install(name: string, manifest: object, files: Readonly<Record<string, string>>): Promise<void> {
  const at = join(folder, "node_modules", name);
  await mkdir(at, { recursive: true });
  await writeFile(join(at, "package.json"), JSON.stringify({ name, version: "1.0.0", type: "module", ...manifest }));
  for (const [file, text] of Object.entries(files)) await writeFile(join(at, file), text);
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "seaway-load-driver-")));
  await install("seaway-driver-plain", { main: "./index.js" }, { "index.js": `export default () => (${DRIVER("plain")});` });
  await install(
    "seaway-driver-import",
    { exports: { ".": { import: "./index.js" } } },
    { "index.js": `export default () => (${DRIVER("import")});` },
  );
  await install(
    "seaway-driver-common",
    { type: "commonjs", main: "./index.js" },
    { "index.js": `module.exports = () => (${DRIVER("common")});` },
  );
  await install("seaway-driver-syntax", { main: "./index.js" }, { "index.js": "export default (" });
  await install(
    "seaway-driver-needs",
    { main: "./index.js" },
    { "index.js": `import "not-installed-anywhere"; export default () => ({});` },
  );
  await install("seaway-driver-throws", { main: "./index.js" }, { "index.js": `export default () => { throw new Error("no"); };` });
  await install("seaway-driver-named", { main: "./index.js" }, { "index.js": `export const named = () => (${DRIVER("named")});` });
  await install("seaway-driver-other", { main: "./index.js" }, { "index.js": `export default () => (${DRIVER("another")});` });
  await install("seaway-driver-hidden", { exports: {} }, {});
  before = process.cwd();
  process.chdir(folder);
});

afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

describe("a driver", () => {
  it("that is given wins over the built-in one and over packages", async () => {
    const given = fakeDriver({ name: "mine", schemes: ["memory", "plain"] });
    expect(await loadDriver("memory", [given])).toBe(given);
    expect(await loadDriver("plain", [fakeDriver(), given])).toBe(given);
  });

  it("for memory: is built in", async () => {
    expect((await loadDriver("memory", [])).name).toBe("memory");
  });

  it.each(["plain", "import", "common"])("of somebody else is found as a package of the application: %s", async (scheme) => {
    expect((await loadDriver(scheme, [])).schemes).toEqual([scheme]);
  });
});

describe("driver-not-found", () => {
  it("names the command that installs a known driver", async () => {
    await expect(loadDriver("kafka+ssl", [])).rejects.toMatchObject({
      code: "driver-not-found",
      retryable: false,
      phase: "setup",
      message: "driver-not-found: kafka+ssl: URLs need the package @seaway/kafka, which is not installed; run: npm install @seaway/kafka",
    });
  });

  it("names the known schemes, and the package that would be found, for an unknown one", async () => {
    const error: unknown = await loadDriver("rabbit", []).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "driver-not-found" });
    expect(String(error)).toMatch(/no driver for rabbit: URLs; known schemes are memory, file, .*redis.*; .*seaway-driver-rabbit/);
  });

  it.each([
    ["syntax", "seaway-driver-syntax is installed but could not be loaded"],
    ["needs", "seaway-driver-needs is installed but could not be loaded"],
    ["throws", "seaway-driver-throws is installed but could not be loaded"],
    ["hidden", "seaway-driver-hidden is installed but could not be loaded"],
    ["named", "has not a default export"],
    ["other", "seaway-driver-other made no driver for other: URLs"],
  ])("says what is wrong with a package that is there: %s", async (scheme, text) => {
    const error: unknown = await loadDriver(scheme, []).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "driver-not-found", phase: "setup" });
    expect(String(error)).toContain(text);
    if (text.includes("could not be loaded")) expect((error as Error).cause).toBeInstanceOf(Error);
  });
});
