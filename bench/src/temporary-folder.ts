/** A folder that is gone afterwards, also when the run is interrupted. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killPrograms } from "./run-program.ts";

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export async function makeTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "seaway-bench-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const onSignal = (signal: NodeJS.Signals): void => {
    killPrograms();
    remove();
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    path,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.removeListener(signal, onSignal);
      remove();
    },
  };
}
