/** The slower way of a send, taken when there is middleware or somebody traces. */
import { type SendTrace, sendChannel } from "../observe/channels.ts";
import type { OutgoingEntry, ProducerMiddleware } from "./producer-options.ts";
import type { Receipt } from "./receipt.ts";

/** Traces the send if anyone listens, runs the middleware, the first outermost, and in their middle `innermost`. */
export function sendAround<T>(
  backend: string,
  middleware: readonly ProducerMiddleware<T>[],
  message: OutgoingEntry<T> & { readonly streamKey: string },
  innermost: (message: OutgoingEntry<T> & { readonly streamKey: string }) => Promise<Receipt>,
): Promise<Receipt> {
  const run = async (index: number, current: OutgoingEntry<T> & { readonly streamKey: string }): Promise<Receipt> => {
    const around = middleware[index];
    return around === undefined ? innermost(current) : around(current, (next) => run(index + 1, next));
  };
  if (!sendChannel.hasSubscribers) return run(0, message);
  const traced = { ...message };
  const trace: SendTrace = { backend, message: traced };
  return sendChannel.tracePromise(() => run(0, traced), trace);
}
