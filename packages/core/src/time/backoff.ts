/** How long to wait before trying again: doubling, with jitter, from a first delay up to a greatest one. */

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The delay before try number `attempt` (from 1), in ms: half of it fixed, half of it random, so that many clients do not return at once. */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: () => number): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random();
}
