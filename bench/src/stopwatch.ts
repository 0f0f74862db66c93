/** How fast something went. */

/** Messages a second since `startMs`, by the clock on the wall. */
export function rateSince(startMs: number, messages: number): number {
  return (messages * 1000) / (performance.now() - startMs);
}

/** Processor time of this thread, ms: what other processes on the machine take away does not count. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export function assertCount(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found} instead of ${expected}`);
}
