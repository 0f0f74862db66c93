/** Gathers messages for one call of a batch handler. */
import { isStreamError } from "../error/stream-error.ts";
import type { Message } from "../message/message.ts";
import type { Clock } from "../time/clock.ts";
import type { Handover } from "./handover.ts";

/** As soon as there are `maxMessages`, `maxWaitMs` after the first, or what there is when `signal` aborts. They are not handed over yet. */
export async function collectBatch<T>(
  handover: Handover<T>,
  batch: { readonly maxMessages: number; readonly maxWaitMs: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly messages: readonly Message<T>[]; readonly ended: boolean; readonly failure?: unknown }> {
  const messages: Message<T>[] = [];
  const full = new AbortController();
  const stop = (): void => full.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let timer: ReturnType<Clock["setTimer"]> | undefined;
  try {
    while (messages.length < batch.maxMessages) {
      const message = handover.tryNext("runner") ?? (await handover.next("runner", full.signal));
      messages.push(message);
      timer ??= clock.setTimer(stop, batch.maxWaitMs);
    }
    return { messages, ended: false };
  } catch (error) {
    if (isStreamError(error, "stream-ended") || isStreamError(error, "closed")) return { messages, ended: true };
    if (isStreamError(error, "aborted")) return { messages, ended: false };
    // What was gathered is worked on first.
    return { messages, ended: false, failure: error };
  } finally {
    timer?.cancel();
    signal.removeEventListener("abort", stop);
  }
}
