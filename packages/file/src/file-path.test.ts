import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { resolveFilePath, splitFilePath } from "./file-path.ts";

test.each([
  ["", "/data/x.ss", "/data/x.ss", []],
  ["", "/data/x.ss/", "/data/x.ss", []],
  ["", "/data/x.ss/orders", "/data/x.ss", ["orders"]],
  ["", "/data/x.ss/orders,bills", "/data/x.ss", ["orders", "bills"]],
  ["x.ss", "", "x.ss", []],
  ["x.ss", "/orders", "x.ss", ["orders"]],
  [".", "/x.ss", "./x.ss", []],
  ["..", "/a/x.ss/orders", "../a/x.ss", ["orders"]],
  ["data", "/x.ss", "data/x.ss", []],
  ["", "/Data/a,b%20%23c.ss/x,y", "/Data/a,b #c.ss", ["x", "y"]],
  ["", "/x%2Ess", "/x.ss", []],
  ["", "/x.ss/y.ss", "/x.ss/y.ss", []],
  ["", "/@scope/x.ss", "/@scope/x.ss", []],
])("%j and %j are the file %j with keys %j", (authority, path, root, keys) => {
  expect(splitFilePath(path, authority, "linux")).toEqual({ root, keys });
});

test("a drive letter stands behind the slash on Windows only", () => {
  expect(splitFilePath("/C:/x.ss/orders", "", "win32")).toEqual({ root: "C:/x.ss", keys: ["orders"] });
  expect(splitFilePath("/C:/x.ss", "", "linux")).toEqual({ root: "/C:/x.ss", keys: [] });
});

test.each(["", "/", "/data/x.txt", "/data/x.txt/orders", "/x.ss/a/b", "/x%00.ss", "/x%ZZ.ss"])("%j names no file", (path) => {
  expect(() => splitFilePath(path, "", "linux")).toThrow(/^invalid-url/);
});

test("two spellings of a path are one, also before there is a file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "seaway-path-"));
  mkdirSync(join(directory, "real"));
  symlinkSync(join(directory, "real"), join(directory, "link"));
  const real = join(directory, "real", "x.ss");
  const spellings = [real, join(directory, "link", "x.ss"), `${directory}/real/../link/./x.ss`, relative(process.cwd(), real)];
  for (const spelling of spellings) expect(await resolveFilePath(spelling)).toBe(await resolveFilePath(real));
  writeFileSync(real, "");
  symlinkSync(real, join(directory, "other.ss"));
  for (const spelling of [...spellings, join(directory, "other.ss")])
    expect(await resolveFilePath(spelling)).toBe(await resolveFilePath(real));
  await expect(resolveFilePath(join(directory, "missing", "x.ss"))).rejects.toMatchObject({ code: "ENOENT" });
});
