// Every TypeScript example in the documentation is a test: it type-checks as it stands.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findPages, programText, readCodeBlocks } from "./code-blocks.ts";
import { createTypeChecker } from "./type-check.ts";

const docsFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(docsFolder, "..");
const typeCheck = createTypeChecker(docsFolder);

test("finds a mistake in an example", () => {
  expect(typeCheck('import { connect } from "@seaway/core";\nconst n: number = connect;')).toEqual([expect.stringContaining("line 2")]);
});

for (const page of findPages(root)) {
  const blocks = readCodeBlocks(root, page);
  if (blocks.length === 0) continue;
  describe(page, () => {
    for (const block of blocks.filter(({ flags }) => !flags.includes("unchecked"))) {
      test(`the example at line ${block.line} type-checks`, () => {
        expect(typeCheck(programText(blocks, block))).toEqual([]);
      });
    }
  });
}
