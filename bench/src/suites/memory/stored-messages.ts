/** How many messages a stream of the broker in memory holds: a figure for messages that were lost would be worth nothing. */
import type { Streamer } from "@seaway/core";
import { assertCount } from "../../stopwatch.ts";

export async function assertStored(streamer: Streamer, streamKey: string, messages: number): Promise<void> {
  const { shards } = await streamer.admin.streamInfo(streamKey);
  assertCount("messages stored", shards[0]?.length ?? 0, messages);
}
