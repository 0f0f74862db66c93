/** Waiting for a condition that nothing announces. */
import { setTimeout as delay } from "node:timers/promises";
import { WAIT_LIMIT_MS } from "./within.ts";

/** Resolves once `holds` gives true, looking every `everyMs`; rejects with `what` after `limitMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { limitMs = WAIT_LIMIT_MS, everyMs = 1 }: { readonly limitMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(everyMs);
  }
}
