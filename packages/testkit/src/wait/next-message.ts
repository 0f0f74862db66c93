/** For programs' own tests: waiting for one message among others. */
import { type Consumer, isStreamError, type Message, StreamError } from "@seaway/core";
import { WAIT_LIMIT_MS } from "./within.ts";

export interface NextMessageOptions {
  /** How long to wait in all, ms. Default: 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The first message for which `matches` is true; those before it are read and passed over (in a group with `on-next`: acked).
 *
 * Rejects with `timeout` when none came within `timeoutMs`, saying what came instead; with the consumer's own error when a read fails.
 * It reads with `next()`, so it must not run beside another read of the same consumer.
 */
export async function nextMessage<T>(
  consumer: Consumer<T>,
  matches: (message: Message<T>) => boolean = () => true,
  options: NextMessageOptions = {},
): Promise<Message<T>> {
  const timeoutMs = options.timeoutMs ?? WAIT_LIMIT_MS;
  const signal = AbortSignal.timeout(timeoutMs);
  let passedOver = 0;
  let last: Message<T> | undefined;
  for (;;) {
    try {
      const message = await consumer.next({ signal });
      if (matches(message)) return message;
      passedOver += 1;
      last = message;
    } catch (cause) {
      if (!signal.aborted || !isStreamError(cause, "aborted")) throw cause;
      const seen = last === undefined ? "none came" : `${passedOver} came, the last at ${last.streamKey} ${last.shardId}:${last.sequence}`;
      throw new StreamError("timeout", `no such message within ${timeoutMs} ms: ${seen}`, { cause });
    }
  }
}
