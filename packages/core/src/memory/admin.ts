/** Looking after the broker in memory. */
import type { DriverAdmin, StreamInfo } from "../driver/driver-admin.ts";
import type { Position } from "../driver/shard.ts";
import { type MemoryBroker, type MemoryStream, MissingStream } from "./broker.ts";
import { NotYet } from "./errors.ts";

export class MemoryAdmin implements DriverAdmin {
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async deleteStream(streamKey: string): Promise<void> {
    this.#broker.delete(this.#stream(streamKey));
  }

  async listStreams(): Promise<readonly string[]> {
    return [...this.#broker.streams.keys()];
  }

  async streamInfo(streamKey: string): Promise<StreamInfo> {
    const shards = this.#stream(streamKey).shards.map((log, shardId) => {
      const oldest = log.at(log.first);
      const newest = log.at(log.next - 1);
      return {
        shardId,
        length: log.length,
        bytes: log.bytes,
        ...(oldest === undefined ? {} : { first: oldest.sequence, firstMs: oldest.brokerTimestampMs }),
        ...(newest === undefined ? {} : { last: newest.sequence, lastMs: newest.brokerTimestampMs }),
      };
    });
    return { shards };
  }

  async trim(streamKey: string, to: Position): Promise<void> {
    for (const log of this.#stream(streamKey).shards) {
      if (to === "beginning") continue;
      if (to === "end") log.trimTo(log.next);
      else log.trimTo("at" in to ? Number(to.at) : log.firstAfter(to.afterMs));
    }
  }

  async listGroups(): Promise<readonly string[]> {
    throw new NotYet();
  }
  async groupInfo(): Promise<never> {
    throw new NotYet();
  }
  async setGroup(): Promise<void> {
    throw new NotYet();
  }
  async deleteGroup(): Promise<void> {
    throw new NotYet();
  }

  #stream(streamKey: string): MemoryStream {
    const stream = this.#broker.streams.get(streamKey);
    if (stream === undefined) throw new MissingStream(streamKey);
    return stream;
  }
}
