/** A consumer whose process dies, without the process. */
import type { Consumer } from "@seaway/core";

/**
 * The consumer forgets everything, as if its process had been killed: nothing is acked, committed or given back, the broker is told
 * nothing, and what it held comes back when its leases have passed. Reads that wait reject with `closed`; later ones, too.
 */
export async function abandon<T>(consumer: Consumer<T>): Promise<void> {
  await consumer.abandon();
}
