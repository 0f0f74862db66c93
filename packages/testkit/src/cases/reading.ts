/** How cases read: so many messages, or up to one that they know to be the last; always with an upper bound. */
import { type Consumer, isStreamError, type Message } from "@seaway/core";
import { WAIT_LIMIT_MS } from "../wait/within.ts";

/** The next `count` messages. Rejects, saying how many came, if they do not come in time. */
export async function take<T>(consumer: Consumer<T>, count: number, limitMs: number = WAIT_LIMIT_MS): Promise<Message<T>[]> {
  if (count <= 0) return [];
  return takeUntil(consumer, (_, taken) => taken === count, `${count} messages`, limitMs);
}

/** All messages up to and with the first for which `isLast` is true. */
export async function takeUntil<T>(
  consumer: Consumer<T>,
  isLast: (message: Message<T>, taken: number) => boolean,
  what: string,
  limitMs: number = WAIT_LIMIT_MS,
): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    let message: Message<T>;
    try {
      message = await consumer.next({ signal });
    } catch (cause) {
      if (!isStreamError(cause, "aborted")) throw cause;
      const end = texts(messages.slice(-3)).map((text) => JSON.stringify(text.slice(0, 40)));
      throw new Error(`${what}: only ${messages.length} came within ${limitMs} ms, the last: ${end.join(", ")}`, { cause });
    }
    messages.push(message);
    if (isLast(message, messages.length)) return messages;
  }
}

/** All messages before one whose payload is `marker`. */
export async function takeUpTo<T>(consumer: Consumer<T>, marker: string, limitMs: number = WAIT_LIMIT_MS): Promise<Message<T>[]> {
  const messages = await takeUntil(consumer, (message) => textOf(message) === marker, `everything up to "${marker}"`, limitMs);
  return messages.slice(0, -1);
}

/** Everything that a bounded consumer has. */
export async function takeAll<T>(consumer: Consumer<T>): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  for await (const message of consumer.stream()) messages.push(message);
  return messages;
}

function textOf(message: Message<unknown>): string {
  return Buffer.from(message.payload).toString("utf8");
}

/** The payloads as text. */
export function texts(messages: readonly Message<unknown>[]): string[] {
  return messages.map(textOf);
}

/** `prefix-0`, `prefix-1`, … */
export function numbered(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${from + index}`);
}
