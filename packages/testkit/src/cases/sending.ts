/** How cases put messages into a stream. */
import type { OutgoingEntry, Receipt } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";

/** Texts, or whole entries, sent in order to a stream that is made with so many shards. Rejects with the first failure. */
export async function sendTo(
  context: CaseContext,
  streamKey: string,
  entries: readonly (string | OutgoingEntry<string>)[],
  shards?: number,
): Promise<Receipt[]> {
  await using producer = await context.streamer.createProducer<string>(streamKey, shards === undefined ? {} : { shards });
  const results = await producer.sendMany(entries.map((entry) => (typeof entry === "string" ? { value: entry } : entry)));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
