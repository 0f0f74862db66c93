// docs/errors.md is complete: every error code with its default, every event that the packages publish.
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CODES, StreamError } from "@seaway/core";
import { describe, expect, it } from "vitest";

const docs = join(dirname(fileURLToPath(import.meta.url)), "..");
const [codes = "", events = ""] = readFileSync(join(docs, "errors.md"), "utf8").split("## Events");

/** The cells of table rows that begin with a code. */
function rowsOf(text: string): string[][] {
  return Array.from(text.matchAll(/^\| `([a-z-]+)` \|(.+)\|$/gm), ([, code = "", rest = ""]) => [
    code,
    ...rest.split("|").map((cell) => cell.trim()),
  ]);
}

describe("docs/errors.md", () => {
  it("lists every error code once", () => {
    const listed = rowsOf(codes.slice(codes.indexOf("## Codes"))).map(([code]) => code);
    expect(listed.toSorted()).toEqual([...ERROR_CODES].toSorted());
  });

  it("says for each what it is, what to do, and whether it is retryable by default", () => {
    for (const [code, when, advice, retryable] of rowsOf(codes.slice(codes.indexOf("## Codes")))) {
      const known = ERROR_CODES.find((each) => each === code);
      expect(when, code).not.toBe("");
      expect(advice, code).not.toBe("");
      expect(retryable, code).toBe(known !== undefined && new StreamError(known, "").retryable ? "yes" : "no");
    }
  });

  it("lists every event that is published, with its level", () => {
    const listed = new Map(rowsOf(events).map(([code, level]) => [code, level]));
    const files = globSync(["packages/*/src/**/*.ts"], { cwd: join(docs, "..") }).filter((file) => !file.endsWith(".test.ts"));
    const sources = files.map((file) => readFileSync(join(docs, "..", file), "utf8")).join("\n");
    const published = [...sources.matchAll(/\bcode: "([a-z-]+)",\s*level: "([a-z]+)"/g)];
    expect(published.length).toBeGreaterThan(3);
    for (const [, code = "", level] of published) expect(listed.get(code), code).toBe(level);
    // Some have their code from elsewhere; but it is written down somewhere.
    for (const code of listed.keys()) expect(sources, code).toContain(`"${code}"`);
  });
});
