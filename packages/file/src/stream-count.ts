/** Counts the messages of one stream by reading the file. */
import type { CallOptions } from "@seaway/core/driver";
import type { FileReader } from "./file-reader.ts";
import { FILE_HEADER_BYTES } from "./format/file-header.ts";
import { SsDecoder } from "./format/ss-decoder.ts";

export interface ShardCount {
  length: number;
  /** Of payloads. */
  bytes: number;
  readonly first: bigint;
  readonly firstMs: number;
}

const CHUNK_BYTES = 1024 * 1024;
/** About a tenth of a second's reading. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Per shard; undefined for a file that takes longer to read than somebody who asks will want to wait. */
export async function countStream(
  reader: FileReader,
  end: number,
  streamKey: string,
  call: CallOptions,
): Promise<ReadonlyMap<number, ShardCount> | undefined> {
  if (end > MAX_BYTES) return undefined;
  const counts = new Map<number, ShardCount>();
  const decoder = new SsDecoder(reader.header.beaconInterval);
  for (let offset = FILE_HEADER_BYTES; offset < end; ) {
    call.signal.throwIfAborted();
    const chunk = await reader.read(offset, Math.min(CHUNK_BYTES, end - offset));
    if (chunk.length === 0) break;
    decoder.push(chunk, offset);
    offset += chunk.length;
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) {
      if (item.kind !== "message" || item.streamKey !== streamKey) continue;
      const count = counts.get(item.shard) ?? { length: 0, bytes: 0, first: BigInt(item.sequence), firstMs: item.timestampMs };
      count.length += 1;
      count.bytes += item.payloadBytes;
      counts.set(item.shard, count);
    }
  }
  return counts;
}
