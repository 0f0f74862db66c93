/** Runs a program in a fresh process and takes its result; nothing it prints reaches our stdout. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job, Pair, Side, Workload } from "./suite.ts";

const PROCESS = fileURLToPath(new URL("./program-process.ts", import.meta.url));

const running = new Set<ChildProcess>();

/** For when this process is told to end: only processes started here. */
export function killPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

export interface Run {
  readonly workload: Workload;
  readonly side: Side;
  readonly messages: number;
  readonly settings: Readonly<Record<string, string>>;
  /** In which the program gets an empty one of its own, gone when this resolves. */
  readonly parentFolder: string;
}

let count = 0;

export async function runProgram({ workload, side, messages, settings, parentFolder }: Run): Promise<number | Pair> {
  count += 1;
  const folder = join(parentFolder, `run-${count}`);
  await mkdir(folder);
  const job: Job = { messages, payloadBytes: workload.payloadBytes, folder, settings: { ...settings, ...side.settings } };
  try {
    return await measureInProcess(workload, side, job);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function measureInProcess(workload: Workload, side: Side, job: Job): Promise<number | Pair> {
  return new Promise((resolve, reject) => {
    const child = fork(PROCESS, [side.program.href, JSON.stringify(job)], {
      execArgv: [...process.execArgv, ...(workload.nodeArguments ?? [])],
      stdio: ["ignore", 2, 2, "ipc"],
    });
    running.add(child);
    let result: number | Pair | undefined;
    child.on("message", (message) => {
      result = message as number | Pair;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      running.delete(child);
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`${side.program.pathname} ended with ${signal ?? code} and ${result === undefined ? "no" : "a"} result`));
    });
  });
}
