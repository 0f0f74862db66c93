/** When work and its clean-up both fail, both are reported: the first one's code, and both as causes. */
import { isStreamError, StreamError } from "./stream-error.ts";

export function bothFailed(work: unknown, cleanup: unknown): Error {
  const cause = new AggregateError([work, cleanup], "the work and its clean-up both failed");
  if (!isStreamError(work)) return cause;
  const second = cleanup instanceof Error ? cleanup.message : String(cleanup);
  return new StreamError(work.code, `${work.message.slice(work.code.length + 2)}; and then: ${second}`, {
    retryable: work.retryable,
    cause,
    backend: work.backend,
    streamKey: work.streamKey,
    phase: work.phase,
  });
}
