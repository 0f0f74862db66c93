/** A member of a group in memory: gets what is new and what others left, and settles what it got. */
import type { ConsumerRequest, DriverConsumer, Received, ReceiveLimit, Settlement, SettleOutcome } from "../driver/driver-consumer.ts";
import type { Shard, ShardStart } from "../driver/shard.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock } from "../time/clock.ts";
import { type MemoryBroker, type MemoryStream, MissingStream } from "./broker.ts";
import { GroupInUse, MissingGroup } from "./errors.ts";
import type { GroupMember, MemoryGroup } from "./group.ts";
import { GroupDelivery } from "./group-delivery.ts";
import { News } from "./news.ts";
import type { MemoryConsumerOptions } from "./options.ts";

export interface GroupConsumerParts {
  readonly broker: MemoryBroker;
  readonly request: ConsumerRequest;
  readonly group: string;
  readonly streams: readonly MemoryStream[];
  /** Whether a stream made later belongs to it. */
  readonly covers: (streamKey: string) => boolean;
  readonly clock: Clock;
  publish(event: StreamerEvent): void;
}

interface Reading {
  readonly stream: MemoryStream;
  readonly group: MemoryGroup;
  /** For a bounded read: the end of each shard. */
  readonly ends: readonly number[] | undefined;
}

export class GroupConsumer implements DriverConsumer {
  readonly start: readonly ShardStart[];
  readonly flow = "pull";
  readonly acks: "each" | "none";
  readonly leaseMs: number;
  readonly #parts: GroupConsumerParts;
  readonly #member: GroupMember;
  readonly #readings: Reading[] = [];
  readonly #claimIntervalMs: number;
  readonly #readerLeaseMs: number;
  readonly #news: News;
  #nextClaimMs = 0;
  #turn = 0;
  #closed = false;

  /** Throws {@link GroupInUse}. */
  constructor(parts: GroupConsumerParts) {
    this.#parts = parts;
    const { request, streams, broker, clock, group } = parts;
    const options = request.options as MemoryConsumerOptions;
    this.leaseMs = options.claimIdleMs ?? 60_000;
    this.#claimIntervalMs = options.claimIntervalMs ?? 5000;
    this.#readerLeaseMs = options.readerLeaseMs ?? 10_000;
    this.acks = request.settlement === "none" ? "none" : "each";
    this.#news = new News(clock);
    this.#member = { name: request.consumerName, activeAtMs: clock.monotonic(), liveUntilMs: undefined };
    const origin = request.from === "earliest" ? "earliest" : "latest";
    if (request.mode === "resumable") {
      const inUse = streams.find((stream) => stream.groups.get(group)?.hasReader(clock.monotonic()) === true);
      if (inUse !== undefined) throw new GroupInUse(group, inUse.key);
    }
    this.start = streams.flatMap((stream) => {
      const before = stream.groups.get(group);
      const starts = stream.shards.map((_, shardId): ShardStart => {
        const known = before?.knows(shardId);
        return { streamKey: stream.key, shardId, origin: known === undefined ? origin : known ? "committed" : "earliest" };
      });
      this.#join(stream, origin === "earliest" ? "beginning" : "end", request.until === "end");
      return starts;
    });
    if (request.until === undefined) broker.streamListeners.add(this.#onStream);
  }

  async receive(limit: ReceiveLimit): Promise<Received> {
    let timedOut = false;
    const untilMs = this.#parts.clock.monotonic() + limit.maxWaitMs;
    for (;;) {
      if (this.#closed) return { messages: [], epoch: 0 };
      // Whole ms: a fraction would be an object of its own on every delivery.
      const nowMs = Math.floor(this.#parts.clock.monotonic());
      this.#member.activeAtMs = nowMs;
      this.#claim(nowMs);
      const messages = this.#take(limit, nowMs);
      const ended = this.#hasEnded();
      if (messages.length > 0 || ended || timedOut || limit.signal.aborted || nowMs >= untilMs) {
        return { messages, epoch: 0, leasedAtMs: nowMs, ended };
      }
      // It wakes in time for the next look at what others left.
      const maxWaitMs = Math.max(1, Math.min(untilMs, this.#nextClaimMs) - nowMs);
      await this.#news.wait({ maxWaitMs, signal: limit.signal });
      timedOut = this.#parts.clock.monotonic() >= untilMs;
    }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    const nowMs = this.#parts.clock.monotonic();
    this.#member.activeAtMs = nowMs;
    const told = new Set<string>();
    const outcomes = settlements.map((settlement): SettleOutcome => {
      const delivery = settlement.token;
      if (!(delivery instanceof GroupDelivery)) return "lost";
      const { shard } = delivery;
      if (shard === undefined) return "lost";
      if (settlement.kind === "nak") return { error: new Error("naks are core's on memory") };
      if (settlement.kind === "release") {
        shard.remove(delivery);
        shard.giveBack(delivery.position, settlement.unread ? delivery.count - 1 : delivery.count);
        told.add(delivery.streamKey);
      } else if (settlement.kind === "extend" || settlement.kind === "recount") {
        delivery.leasedAtMs = nowMs;
        if (settlement.kind === "recount") delivery.count = settlement.deliveryCount;
      } else shard.remove(delivery);
      return "done";
    });
    for (const { stream } of this.#readings) if (told.has(stream.key)) stream.notify();
    return outcomes;
  }

  async seek(): Promise<never> {
    throw new Error("a member of a group does not seek");
  }

  async lag(): Promise<readonly (Shard & { readonly messages: number })[]> {
    return this.#readings.flatMap(({ stream, group }) =>
      group.lag(stream.shards).map((messages, shardId) => ({ streamKey: stream.key, shardId, messages })),
    );
  }

  async stop(): Promise<void> {
    this.#leave();
  }

  async close(): Promise<void> {
    for (const { group } of this.#readings) {
      group.members.delete(this.#member);
      if (group.reader === this.#member) group.reader = undefined;
    }
  }

  /** Its deliveries stay pending until they have been idle for long enough, and its place as reader until its lease is over. */
  abandon(): void {
    this.#leave();
    this.#member.liveUntilMs = this.#parts.clock.monotonic() + this.#readerLeaseMs;
  }

  #leave(): void {
    this.#closed = true;
    for (const { stream } of this.#readings) stream.listeners.delete(this.#news.tell);
    this.#parts.broker.streamListeners.delete(this.#onStream);
    this.#news.tell();
  }

  #join(stream: MemoryStream, position: "beginning" | "end", bounded: boolean): void {
    const { request } = this.#parts;
    const group = stream.group(this.#parts.group, position);
    group.members.add(this.#member);
    if (request.mode === "resumable") {
      group.reader = this.#member;
      // There is no other reader: what the one before left is ours at once.
      group.claimAll();
    }
    this.#readings.push({ stream, group, ends: bounded ? stream.shards.map((log) => log.next) : undefined });
    stream.listeners.add(this.#news.tell);
  }

  /** A stream that is ours and was made later is read from its beginning. */
  readonly #onStream = (stream: MemoryStream): void => {
    if (!this.#parts.covers(stream.key)) return;
    const before = this.#readings.findIndex((reading) => reading.stream.key === stream.key);
    if (before >= 0) this.#readings.splice(before, 1);
    this.#join(stream, "beginning", false);
    this.#parts.request.onAssigned(stream.shards.map((_, shardId) => ({ streamKey: stream.key, shardId, origin: "earliest" })));
    this.#news.tell();
  };

  #claim(nowMs: number): void {
    if (nowMs < this.#nextClaimMs) return;
    this.#nextClaimMs = nowMs + this.#claimIntervalMs;
    for (const { group } of this.#readings) group.claimIdle(this.leaseMs, nowMs);
  }

  #take(limit: ReceiveLimit, nowMs: number): GroupDelivery[] {
    const out: GroupDelivery[] = [];
    const count = this.#readings.length;
    let bytes = limit.maxBytes;
    for (let i = 0; i < 2 * count && out.length < limit.maxMessages && bytes > 0; i++) {
      const { stream, group, ends } = this.#readings[(this.#turn + i) % count] as Reading;
      if (stream.deleted) throw new MissingStream(stream.key);
      if (stream.groups.get(group.name) !== group) throw new MissingGroup(group.name, stream.key);
      const left = limit.maxMessages - out.length;
      const share = i < count ? Math.max(1, Math.ceil(left / (count - i))) : left;
      const taken = group.deliver(
        this.#member,
        stream.key,
        stream.shards,
        { maxMessages: share, maxBytes: bytes },
        ends,
        this.acks === "each",
        nowMs,
      );
      for (const delivery of taken) {
        bytes -= delivery.size;
        out.push(delivery);
      }
    }
    if (count > 0) this.#turn = (this.#turn + 1) % count;
    return out;
  }

  #hasEnded(): boolean {
    if (this.#parts.request.until !== "end") return false;
    return this.#readings.every(({ stream, group, ends }) => ends === undefined || group.hasDelivered(stream.shards, ends));
  }
}
