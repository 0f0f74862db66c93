// Finds the TypeScript examples in the documentation: what stands between ```ts and ```, with the words after `ts` as its flags.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface CodeBlock {
  /** Relative to the repository. */
  readonly page: string;
  /** Of the first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /**
   * "continued": the page's earlier blocks stand before it, as one text.
   * "unchecked": not a program (a sketch, a signature); use it sparingly.
   */
  readonly flags: readonly string[];
}

/** README.md, docs/*.md, docs/decisions/*.md, examples' and packages' READMEs. */
export function findPages(root: string): string[] {
  return globSync(["README.md", "CONTRIBUTING.md", "docs/**/*.md", "packages/*/README.md", "examples/*/README.md"], {
    cwd: root,
    exclude: ["**/node_modules/**"],
  }).sort();
}

export function readCodeBlocks(root: string, page: string): CodeBlock[] {
  const lines = readFileSync(join(root, page), "utf8").split(/\r?\n/);
  const blocks: CodeBlock[] = [];
  let open: { line: number; indent: number; fence: string; flags: readonly string[] | undefined } | undefined;
  for (const [index, text] of lines.entries()) {
    const [, blanks = "", fence = "", info = ""] = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(text) ?? [];
    if (fence === "") continue;
    if (open === undefined) {
      const [language, ...flags] = info.trim().split(/\s+/);
      const isTypeScript = language === "ts" || language === "typescript";
      open = { line: index + 2, indent: blanks.length, fence, flags: isTypeScript ? flags : undefined };
    } else if (info === "" && fence.startsWith(open.fence)) {
      const { line, indent, flags } = open;
      const code = lines.slice(line - 1, index).map((row) => row.slice(Math.min(indent, row.search(/\S|$/))));
      if (flags !== undefined) blocks.push({ page, line, code: code.join("\n"), flags });
      open = undefined;
    }
  }
  return blocks;
}

/** The block's program: with the flag "continued", the page's earlier checked blocks stand before it. */
export function programText(blocks: readonly CodeBlock[], block: CodeBlock): string {
  if (!block.flags.includes("continued")) return block.code;
  const earlier = blocks.slice(0, blocks.indexOf(block)).filter((other) => !other.flags.includes("unchecked"));
  const start = earlier.findLastIndex((other) => !other.flags.includes("continued"));
  return [...earlier.slice(Math.max(start, 0)), block].map((part) => part.code).join("\n");
}
