/** Looking at the streams of a file. */
import type { CallOptions, DriverAdmin, StreamInfo } from "@seaway/core/driver";
import { missingStream, notClaimed } from "./errors.ts";
import { FileReader } from "./file-reader.ts";
import { type FileSurvey, NO_FILE, type SurveyedShard } from "./file-survey.ts";
import type { SharedFile } from "./shared-file.ts";
import { countStream, type ShardCount } from "./stream-count.ts";

export class FileAdmin implements DriverAdmin {
  readonly #file: SharedFile;

  constructor(file: SharedFile) {
    this.#file = file;
  }

  async listStreams(call: CallOptions): Promise<readonly string[]> {
    const { shards } = await this.#read((reader) => this.#survey(reader, call));
    return [...new Set(shards.map(({ streamKey }) => streamKey))];
  }

  /** Lengths, bytes and first messages are counted only in a file that is read in a moment; of a larger one the last messages are told. */
  async streamInfo(streamKey: string, call: CallOptions): Promise<StreamInfo> {
    return this.#read(async (reader) => {
      const survey = await this.#survey(reader, call);
      const shards = survey.shards.filter((shard) => shard.streamKey === streamKey);
      if (shards.length === 0) throw missingStream(streamKey, this.#file.path);
      const counts = reader === undefined ? undefined : await countStream(reader, survey.end, streamKey, call);
      return { shards: shards.sort((a, b) => a.shardId - b.shardId).map((shard) => infoOf(shard, counts)) };
    });
  }

  async deleteStream(): Promise<void> {
    throw notClaimed("deleteStream");
  }
  async trim(): Promise<void> {
    throw notClaimed("trim");
  }
  async listGroups(): Promise<readonly string[]> {
    throw notClaimed("groups");
  }
  async groupInfo(): Promise<never> {
    throw notClaimed("groups");
  }
  async setGroup(): Promise<void> {
    throw notClaimed("groups");
  }
  async deleteGroup(): Promise<void> {
    throw notClaimed("groups");
  }

  async #survey(reader: FileReader | undefined, call: CallOptions): Promise<FileSurvey> {
    return this.#file.writer?.survey() ?? (await reader?.survey(call)) ?? NO_FILE;
  }

  async #read<T>(work: (reader: FileReader | undefined) => Promise<T>): Promise<T> {
    const reader = await FileReader.open(this.#file.path);
    try {
      return await work(reader);
    } finally {
      await reader?.close();
    }
  }
}

function infoOf(
  { shardId, sequence, timestamp }: SurveyedShard,
  counts: ReadonlyMap<number, ShardCount> | undefined,
): StreamInfo["shards"][number] {
  const count = counts?.get(shardId);
  return {
    shardId,
    ...(sequence === undefined ? { length: 0, bytes: 0 } : { last: BigInt(sequence), lastMs: Number(timestamp) }),
    ...(count === undefined ? {} : { length: count.length, bytes: count.bytes, first: count.first, firstMs: count.firstMs }),
  };
}
