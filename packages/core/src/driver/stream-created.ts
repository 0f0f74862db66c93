/** The event of a stream that was made because somebody named it: a slip of the pen makes one, too. */
import type { StreamerEvent } from "../observe/event.ts";

export function streamCreated(streamKey: string, shards: number): StreamerEvent {
  const message = `stream "${streamKey}" did not exist and was created with ${shards} shard${shards === 1 ? "" : "s"}; createStream: false forbids that`;
  return { code: "stream-created", level: "warn", message, streamKey };
}
