/** What was asked for on the command line. */
import { parseArgs } from "node:util";

export interface Arguments {
  /** Suites by name; empty: all. */
  readonly suites: readonly string[];
  /** Workloads by name; empty: all. */
  readonly only: readonly string[];
  readonly json: boolean;
  readonly check: boolean;
  readonly rounds: number | undefined;
  readonly messages: number | undefined;
}

/** The command line cannot be understood; its text says why. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
}

export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  return {
    suites: positionals,
    only: (values.only ?? []).flatMap((names) => names.split(",")).filter((name) => name !== ""),
    json: values.json ?? false,
    check: values.check ?? false,
    rounds: countOf("rounds", values.rounds),
    messages: countOf("messages", values.messages),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        check: { type: "boolean" },
        only: { type: "string", multiple: true },
        rounds: { type: "string" },
        messages: { type: "string" },
      },
    });
  } catch (error) {
    throw new ArgumentError((error as Error).message);
  }
}

function countOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text.replaceAll("_", ""));
  if (!Number.isSafeInteger(count) || count < 1) throw new ArgumentError(`--${name} is a whole number from 1, not "${text}"`);
  return count;
}
