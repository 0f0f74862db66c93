/** Looking after the broker in memory. */
import type { DriverAdmin, GroupInfo, StreamInfo } from "../driver/driver-admin.ts";
import type { Position } from "../driver/shard.ts";
import type { Clock } from "../time/clock.ts";
import { type MemoryBroker, type MemoryStream, MissingStream } from "./broker.ts";
import { GroupInUse, MissingGroup } from "./errors.ts";
import type { MemoryGroup } from "./group.ts";

export class MemoryAdmin implements DriverAdmin {
  readonly #broker: MemoryBroker;
  readonly #clock: Clock;

  constructor(broker: MemoryBroker, clock: Clock) {
    this.#broker = broker;
    this.#clock = clock;
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

  async listGroups(streamKey: string): Promise<readonly string[]> {
    return [...this.#stream(streamKey).groups.keys()];
  }

  async groupInfo(streamKey: string, group: string): Promise<GroupInfo> {
    const stream = this.#stream(streamKey);
    return this.#group(stream, group).info(stream.shards, this.#clock.monotonic());
  }

  async setGroup(streamKey: string, group: string, to: Position, mode: "create" | "reset"): Promise<void> {
    const stream = this.#stream(streamKey);
    if (mode === "create") {
      stream.group(group, to);
      return;
    }
    const found = this.#group(stream, group);
    if (found.liveMembers(this.#clock.monotonic()) > 0) throw new GroupInUse(group, streamKey);
    found.moveTo(stream.shards, to);
  }

  async deleteGroup(streamKey: string, group: string): Promise<void> {
    const stream = this.#stream(streamKey);
    if (this.#group(stream, group).liveMembers(this.#clock.monotonic()) > 0) throw new GroupInUse(group, streamKey);
    stream.groups.delete(group);
  }

  #group(stream: MemoryStream, name: string): MemoryGroup {
    const group = stream.groups.get(name);
    if (group === undefined) throw new MissingGroup(name, stream.key);
    return group;
  }

  #stream(streamKey: string): MemoryStream {
    const stream = this.#broker.streams.get(streamKey);
    if (stream === undefined) throw new MissingStream(streamKey);
    return stream;
  }
}
