/** Lets the event loop turn once: timers, sockets and signals get their chance. */

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
