/** The streams a writer knows: the state of each shard that has messages, and the shards that producers declared. */
import type { SurveyedShard } from "./file-survey.ts";
import type { SsEncoder } from "./format/ss-encoder.ts";
import { INTERNAL_KEY } from "./format/stream-id.ts";
import type { StreamSnapshot, StreamState } from "./format/stream-state.ts";

/** More shards than this no stream has; a file may name one above all the same. */
const MAX_SHARDS = 65_536;

export class StreamCatalog {
  readonly #streams = new Map<string, Map<number, StreamState>>();
  readonly #declared = new Map<string, number>();
  #encoder: SsEncoder;
  // Messages come mostly in runs of one shard.
  #lastKey: string | undefined;
  #lastShard = -1;
  #last: StreamState | undefined;

  /** `streams`: those that the encoder was made with. */
  constructor(encoder: SsEncoder, streams: readonly StreamSnapshot[]) {
    this.#encoder = encoder;
    this.renew(encoder, streams);
  }

  /** Goes on with another encoder; what was declared stays. */
  renew(encoder: SsEncoder, streams: readonly StreamSnapshot[]): void {
    this.#encoder = encoder;
    this.#last = undefined;
    this.#streams.clear();
    for (const { key, shard } of streams) if (key !== INTERNAL_KEY) this.state(key, shard);
  }

  state(streamKey: string, shardId: number): StreamState {
    if (this.#last !== undefined && shardId === this.#lastShard && streamKey === this.#lastKey) return this.#last;
    let shards = this.#streams.get(streamKey);
    if (shards === undefined) {
      shards = new Map();
      this.#streams.set(streamKey, shards);
    }
    let state = shards.get(shardId);
    if (state === undefined) {
      state = this.#encoder.stream(streamKey, shardId);
      shards.set(shardId, state);
    }
    this.#lastKey = streamKey;
    this.#lastShard = shardId;
    this.#last = state;
    return state;
  }

  /** How many shards the stream has; undefined: there is none. */
  shardsOf(streamKey: string): number | undefined {
    let written = 0;
    for (const [shardId, { isSeen }] of this.#streams.get(streamKey) ?? []) if (isSeen) written = Math.max(written, shardId + 1);
    const shards = Math.max(written, this.#declared.get(streamKey) ?? 0);
    return shards === 0 ? undefined : Math.min(shards, MAX_SHARDS);
  }

  /**
   * Finds or makes a stream, and gives its count of shards. The file does not keep the count, it shows only which shards have messages:
   * so the first in this process to say a greater one is believed.
   */
  ensure(streamKey: string, shards: number | undefined): number {
    const known = this.shardsOf(streamKey);
    if (known !== undefined && (shards === undefined || this.#declared.has(streamKey))) return known;
    this.#declared.set(streamKey, Math.max(known ?? 1, shards ?? 1));
    return this.shardsOf(streamKey) ?? 1;
  }

  survey(): SurveyedShard[] {
    const surveyed: SurveyedShard[] = [];
    for (const [streamKey, shards] of this.#streams) {
      for (const [shardId, { isSeen, sequence, timestamp }] of shards)
        if (isSeen) surveyed.push({ streamKey, shardId, sequence, timestamp });
    }
    for (const [streamKey, count] of this.#declared) {
      for (let shardId = 0; shardId < count; shardId++) {
        if (this.#streams.get(streamKey)?.get(shardId)?.isSeen !== true) surveyed.push({ streamKey, shardId });
      }
    }
    return surveyed;
  }
}
