/** Which shards a consumer knows, which of them it was told to keep to, and where a seek or rewind sends each. */
import type { Position, Shard, ShardPosition } from "../driver/shard.ts";
import { StreamError } from "../error/stream-error.ts";
import type { RewindTarget } from "./consumer-options.ts";

function nameOf(shard: Shard): string {
  return `${shard.streamKey}/${shard.shardId}`;
}

export class Assignment {
  readonly #covers: (streamKey: string) => boolean;
  readonly #known = new Map<string, Shard>();
  readonly #chosen = new Map<string, Shard>();

  /** `covers`: whether a stream is among those the consumer was made for. */
  constructor(covers: (streamKey: string) => boolean, known: readonly Shard[]) {
    this.#covers = covers;
    this.learn(known);
  }

  learn(shards: readonly Shard[]): void {
    for (const { streamKey, shardId } of shards) this.#known.set(`${streamKey}/${shardId}`, { streamKey, shardId });
  }

  forget(shards: readonly Shard[]): void {
    for (const shard of shards) this.#known.delete(nameOf(shard));
  }

  assign(streamKey: string, shardId: number): void {
    this.#assertCovered(streamKey);
    if (!Number.isSafeInteger(shardId) || shardId < 0) throw new TypeError("a shardId is a whole number from 0");
    this.#chosen.set(`${streamKey}/${shardId}`, { streamKey, shardId });
  }

  unassign(streamKey: string, shardId: number): void {
    this.#assertCovered(streamKey);
    if (!this.#chosen.delete(`${streamKey}/${shardId}`)) {
      throw new StreamError("not-assigned", `shard ${shardId} of "${streamKey}" was not assigned`, { streamKey });
    }
  }

  /** Every shard that a seek or rewind moves: the assigned ones, or all. */
  targets(position: Position): ShardPosition[] {
    const shards = this.#chosen.size > 0 ? this.#chosen : this.#known;
    return Array.from(shards.values(), (shard) => ({ ...shard, position }));
  }

  /** As {@link targets}, for what `rewind` takes. */
  rewindTargets(to: RewindTarget): ShardPosition[] {
    if (to === "beginning" || to === "end") return this.targets(to);
    if (typeof to !== "object" || to === null || !("at" in to)) throw new TypeError('rewind takes "beginning", "end" or { at: sequence }');
    const { at } = to;
    if (typeof at === "bigint") {
      const targets = this.targets({ at });
      if (targets.length > 1) {
        throw new StreamError(
          "not-assigned",
          `one sequence cannot place ${targets.length} shards: assign(streamKey, shardId) first, or rewind({ at: { [stream]: { [shard]: sequence } } })`,
        );
      }
      return targets;
    }
    if (typeof at !== "object" || at === null) throw new TypeError("a sequence is a bigint, such as 5n");
    return Object.entries(at).flatMap(([streamKey, shards]) => {
      this.#assertCovered(streamKey);
      return Object.entries(shards).map(([shardId, sequence]) => ({ streamKey, shardId: Number(shardId), position: { at: sequence } }));
    });
  }

  #assertCovered(streamKey: string): void {
    if (!this.#covers(streamKey))
      throw new StreamError("stream-key-not-found", `this consumer does not read "${streamKey}"`, { streamKey });
  }
}
