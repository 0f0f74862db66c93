/** `fetch`: exactly as many as asked for or what there is at expiry, and nothing read beyond that. */
import type { Message } from "../message/message.ts";
import type { Clock } from "../time/clock.ts";
import { abortedError } from "../time/deadline.ts";
import type { FetchOptions } from "./consumer-options.ts";
import type { Handover } from "./handover.ts";
import type { Session } from "./session.ts";

/** Takes what is buffered first. When it rejects, what it had is back in the buffer, in its order. */
export async function fetchMessages<T>(
  session: Session<T>,
  handover: Handover<T>,
  options: FetchOptions,
  closing: AbortSignal,
  clock: Clock,
): Promise<Message<T>[]> {
  const { maxMessages, expiresMs, signal } = options;
  const { intake, book } = session;
  const expiresAtMs = clock.monotonic() + expiresMs;
  const ended = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  const messages: Message<T>[] = [];
  let asked = false;
  try {
    handover.assertUsable();
    await intake.halt();
    const unsettled = book.takeFailure();
    if (unsettled !== undefined) throw unsettled;
    while (messages.length < maxMessages) {
      if (signal?.aborted) throw abortedError("fetch", signal);
      const paceMs = handover.paceMs();
      if (paceMs > 0) {
        const leftMs = expiresAtMs - clock.monotonic();
        if (leftMs <= 0) break;
        await pass(clock, Math.min(paceMs, leftMs), ended);
        if (closing.aborted) break;
        continue;
      }
      const message = intake.take();
      if (message !== undefined) {
        // What could not be decoded fails the fetch only when it stands first; else the good ones before it are given.
        if (messages.length > 0 && handover.refuses(message)) {
          intake.putBack([message]);
          break;
        }
        const admitted = handover.admit(message);
        if (admitted !== undefined) messages.push(admitted);
        continue;
      }
      const failure = book.takeFailure() ?? intake.takeFailure();
      if (failure !== undefined) throw failure;
      const leftMs = expiresAtMs - clock.monotonic();
      if (intake.ended || (asked && leftMs <= 0) || closing.aborted) break;
      asked = true;
      await intake.receiveOnce(maxMessages - messages.length, Math.max(leftMs, 0), ended);
    }
  } catch (error) {
    for (const message of messages) book.takeBack(message);
    intake.putBack(messages);
    throw error;
  }
  return messages;
}

/** Resolves after so long, or when `signal` aborts. */
function pass(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimer(end, delayMs);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}
