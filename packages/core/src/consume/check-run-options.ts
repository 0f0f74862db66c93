/** What of a run's options does not go together. */
import { StreamError } from "../error/stream-error.ts";
import { assertStreamKey } from "../url/stream-key.ts";
import type { ConsumerOptions } from "./consumer-options.ts";
import type { DeadLetter, RunOptions } from "./run-options.ts";

/** Throws `invalid-option`, or `invalid-stream-key` for a dead letter's stream. */
export function checkRunOptions<T>(options: RunOptions<T>, onDecodeError: ConsumerOptions<T>["onDecodeError"]): void {
  const { concurrency, retry, deadLetter, orderBy, batch, middleware } = options;
  const fail = (text: string): never => {
    throw new StreamError("invalid-option", `run: ${text}`);
  };
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) fail("concurrency is a whole number from 1");
  const max = retry?.maxDeliveries;
  if (max !== undefined && !(Number.isInteger(max) && max >= 1)) fail("maxDeliveries is a whole number from 1");
  if (max !== undefined && deadLetter === undefined) {
    fail("maxDeliveries without a deadLetter would lose messages: say deadLetter: true, or deadLetter: { discard: true } if that is meant");
  }
  if (batch !== undefined && orderBy !== undefined && orderBy !== "none") fail("batch and orderBy do not go together");
  if (batch !== undefined && !(Number.isInteger(batch.maxMessages) && batch.maxMessages >= 1 && batch.maxWaitMs >= 0)) {
    fail("batch is { maxMessages: from 1, maxWaitMs: from 0 }");
  }
  if (batch !== undefined && middleware !== undefined && middleware.length > 0) fail("batch and middleware do not go together");
  if (deadLetter !== undefined && !isDeadLetter(deadLetter)) {
    fail("deadLetter is true, a stream's key, { producer, stream }, or { discard: true }");
  }
  if (onDecodeError === "dead-letter" && deadLetter === undefined) fail('onDecodeError: "dead-letter" needs a deadLetter');
}

function isDeadLetter(target: DeadLetter): boolean {
  if (typeof target === "string" || (typeof target === "object" && "producer" in target)) {
    assertStreamKey(typeof target === "string" ? target : target.stream);
    return true;
  }
  return target === true || (typeof target === "object" && target.discard === true);
}
