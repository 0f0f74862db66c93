import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { PORTABLE_OPTIONS } from "./option-tables.ts";

/** Where programs find what an option means. */
const DECLARED_IN = {
  connect: ["connect-options.ts", "ConnectOptions"],
  producer: ["../produce/producer-options.ts", "ProducerOptions"],
  send: ["../produce/producer-options.ts", "SendOptions"],
  consumer: ["../consume/consumer-options.ts", "ConsumerOptions"],
  stream: ["admin.ts", "CreateStreamOptions"],
} as const;

async function declared(file: string, name: string): Promise<string[]> {
  const text = await readFile(new URL(file, import.meta.url), "utf8");
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(text)?.[1] ?? "";
  return Array.from(body.matchAll(/^ {2}readonly (\w+)\?:/gm), (match) => match[1] ?? "").sort();
}

/** Accepted already so that one program text can be written for all modes; they are read once there are groups. */
const COME_WITH_GROUPS: readonly string[] = ["autoCommitIntervalMs", "autoCommitDelayMs", "ackTimeoutMs", "keepAliveMs"];

describe("every option that is accepted is declared, and the other way round", () => {
  it.each(Object.entries(DECLARED_IN))("%s", async (scope, [file, name]) => {
    const accepted = Object.keys(PORTABLE_OPTIONS[scope as keyof typeof DECLARED_IN]).sort();
    expect(accepted.length).toBeGreaterThan(0);
    const known = await declared(file, name);
    expect(known.filter((one) => !accepted.includes(one))).toEqual([]);
    expect(accepted.filter((one) => !known.includes(one) && !COME_WITH_GROUPS.includes(one))).toEqual([]);
  });
});
