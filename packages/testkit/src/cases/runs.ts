/** Runs that a case starts and stops. */
import type { Consumer, HandlerContext, Message, RunOptions } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import { within } from "../wait/within.ts";

/** Node's timers may strike so much before their time. */
export const TIMER_SLACK_MS = 5;

interface Running {
  /** As a program does that is told to end: it drains. */
  stop(): void;
  /** Resolves when `run` has. */
  readonly ended: Promise<void>;
}

/** Starts a run; see {@link finish}. */
export function start<T = Uint8Array>(
  consumer: Consumer<T>,
  handler: (message: Message<T>, handling: HandlerContext) => unknown,
  options: RunOptions<T> & { readonly batch?: undefined } = {},
): Running {
  const stopping = new AbortController();
  const ended = consumer.run(handler, { ...options, signal: stopping.signal });
  ended.catch(() => undefined);
  return { stop: () => stopping.abort(), ended };
}

/** Stops it and waits for its end; rejects with what the run rejects with. */
export async function finish(context: CaseContext, running: Running): Promise<void> {
  running.stop();
  await within(running.ended, context.limits.waitMs, "the end of run");
}
