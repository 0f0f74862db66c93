/** `fetch`: exactly as many as asked for or what there is at expiry, and nothing read beyond that. */
import type { Message } from "../message/message.ts";
import type { Clock } from "../time/clock.ts";
import { abortedError } from "../time/deadline.ts";
import type { FetchOptions } from "./consumer-options.ts";
import type { Decoded } from "./decode-batch.ts";
import type { Handover } from "./handover.ts";
import type { Intake } from "./intake.ts";

/** Takes what is buffered first. When it rejects, what it had is back in the buffer, in its order. */
export async function fetchMessages<T>(
  intake: Intake<T>,
  handover: Handover<T>,
  options: FetchOptions,
  closing: AbortSignal,
  clock: Clock,
): Promise<Message<T>[]> {
  const { maxMessages, expiresMs, signal } = options;
  const expiresAtMs = clock.monotonic() + expiresMs;
  const ended = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  const taken: Decoded<T>[] = [];
  const messages: Message<T>[] = [];
  let asked = false;
  try {
    await intake.halt();
    while (messages.length < maxMessages) {
      if (signal?.aborted) throw abortedError("fetch", signal);
      const item = intake.take();
      if (item !== undefined) {
        const message = admit(item, messages, intake, handover);
        if (message === "stop") break;
        taken.push(item);
        if (message !== undefined) messages.push(message);
        continue;
      }
      const failure = intake.takeFailure();
      if (failure !== undefined) throw failure;
      const leftMs = expiresAtMs - clock.monotonic();
      if (intake.ended || (asked && leftMs <= 0) || closing.aborted) break;
      asked = true;
      await intake.receiveOnce(maxMessages - messages.length, Math.max(leftMs, 0), ended);
    }
  } catch (error) {
    intake.putBack(taken);
    throw error;
  }
  for (const message of messages) handover.handedOver(message);
  return messages;
}

/** What could not be decoded fails the fetch only when it stands first; else the good ones before it are given, and it fails the next. */
function admit<T>(
  item: Decoded<T>,
  before: readonly Message<T>[],
  intake: Intake<T>,
  handover: Handover<T>,
): Message<T> | undefined | "stop" {
  try {
    return handover.admit(item);
  } catch (error) {
    if (before.length === 0) throw error;
    intake.putBack([item]);
    return "stop";
  }
}
