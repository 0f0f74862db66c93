/**
 * For a difference that is smaller than what a machine changes from one second to the next: the work is done in many goes, each after a
 * collection of garbage and by processor time of the main thread, and the best one counts. What disturbs a go only makes it slower.
 */
import { threadCpuMs } from "../../stopwatch.ts";

const GOES = 25;

/** What is between the two calls is measured. */
export interface Measure {
  start(): void;
  stop(): void;
}

/** @returns messages a second of the best go */
export async function bestGo(messages: number, go: (messages: number, measure: Measure) => Promise<void>): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("needs node --expose-gc");
  const perGo = Math.ceil(messages / GOES);
  let startMs = 0;
  let bestMs = Number.POSITIVE_INFINITY;
  const measure: Measure = {
    start() {
      gc();
      startMs = threadCpuMs();
    },
    stop() {
      bestMs = Math.min(bestMs, threadCpuMs() - startMs);
    },
  };
  for (let i = 0; i < GOES; i++) await go(perGo, measure);
  return (perGo * 1000) / bestMs;
}
