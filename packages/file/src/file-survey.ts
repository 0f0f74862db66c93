/** What a file holds: where its last whole message ends, and the last of each stream's shards. */
import type { ReadAt } from "./format/beacon-reader.ts";
import type { U64 } from "./format/big-endian.ts";
import { FILE_HEADER_BYTES } from "./format/file-header.ts";
import { INTERNAL_KEY } from "./format/stream-id.ts";
import { scanTail } from "./format/tail-scan.ts";

export interface SurveyedShard {
  readonly streamKey: string;
  readonly shardId: number;
  /** The greatest; undefined of a shard that was declared and has no message yet. */
  readonly sequence?: U64;
  /** The greatest, ms. */
  readonly timestamp?: U64;
}

export interface FileSurvey {
  /** File offset after the last whole message; an end-of-stream behind it does not count. */
  readonly end: number;
  readonly shards: readonly SurveyedShard[];
  /** Bytes behind the end that are more than a message cut short; 0 normally. */
  readonly unreadableBytes: number;
}

export const NO_FILE: FileSurvey = { end: FILE_HEADER_BYTES, shards: [], unreadableBytes: 0 };

/** By reading the file, where no writer of this process knows. */
export async function surveyFile(read: ReadAt, size: number): Promise<FileSurvey> {
  const { end, state, isTailCorrupt, tornBytes } = await scanTail(read, size);
  const shards: SurveyedShard[] = [];
  for (const { key, shard, sequence, timestamp } of state?.streams ?? []) {
    if (key !== INTERNAL_KEY) shards.push({ streamKey: key, shardId: shard, sequence, timestamp });
  }
  return { end: Math.max(end, FILE_HEADER_BYTES), shards, unreadableBytes: isTailCorrupt ? tornBytes : 0 };
}
