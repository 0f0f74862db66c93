/** Ends a program's streams in good order when the process is told to stop. */
import type { Streamer } from "./streamer.ts";

export interface ShutdownOptions {
  /** How long loops and handlers may take to finish what they have, ms. Default: 30,000. */
  readonly drainTimeoutMs?: number | undefined;
}

/**
 * On one of the signals: hands nothing more over, waits for each loop to ask for its next message (which acks the one that it has), then
 * closes the streamer. A second signal is left to the runtime, which ends the process. Returns a function that takes it back.
 */
export function shutdownOn(signals: readonly NodeJS.Signals[], streamer: Streamer, options: ShutdownOptions = {}): () => void {
  const takeBack = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (): void => {
    takeBack();
    streamer.shutdown(options.drainTimeoutMs ?? 30_000).catch((error: unknown) => {
      queueMicrotask(() => {
        throw error;
      });
    });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return takeBack;
}
