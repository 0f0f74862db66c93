/** For programs' own tests: everything that is there. */
import { type Consumer, isStreamError, type Message } from "@seaway/core";
import { WAIT_LIMIT_MS } from "./within.ts";

export interface DrainOptions {
  /** It is over when no message has come for so long, ms. Default: 100. */
  readonly quietMs?: number | undefined;
  /** How long in all, ms; then it rejects, because the stream does not fall quiet. Default: 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The messages that a consumer has, in order, until none has come for `quietMs`, or the bounded read ended.
 *
 * It reads with `next()`, so in a group with `on-next` all but the last are acked; elsewhere settling is the caller's. It must not run
 * beside another read of the same consumer. Rejects with the consumer's own error when a read fails.
 */
export async function drain<T>(consumer: Consumer<T>, options: DrainOptions = {}): Promise<Message<T>[]> {
  const { quietMs = 100, timeoutMs = WAIT_LIMIT_MS } = options;
  const deadline = performance.now() + timeoutMs;
  const messages: Message<T>[] = [];
  for (;;) {
    if (performance.now() > deadline)
      throw new Error(`the stream did not fall quiet within ${timeoutMs} ms: ${messages.length} messages came`);
    try {
      messages.push(await consumer.next({ signal: AbortSignal.timeout(quietMs) }));
    } catch (error) {
      if (isStreamError(error, "aborted") || isStreamError(error, "stream-ended")) return messages;
      throw error;
    }
  }
}
