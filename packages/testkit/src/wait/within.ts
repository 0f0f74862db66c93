/** Upper bounds for what a test waits for: nothing here sleeps for its own sake. */

/** How long a case waits for anything, unless its harness says otherwise. */
export const WAIT_LIMIT_MS = 10_000;

/** What `promise` gives, or a rejection that names `what` after `limitMs`. */
export async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
