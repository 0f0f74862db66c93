/** A consumer group on one stream in memory: per shard what comes next, and every delivery that is not acked. The reference for every rule. */
import type { GroupInfo } from "../driver/driver-admin.ts";
import type { Position } from "../driver/shard.ts";
import { GroupDelivery } from "./group-delivery.ts";
import type { StoredMessage } from "./message.ts";
import type { ShardLog } from "./shard-log.ts";

/** A member, as its consumer keeps it. */
export interface GroupMember {
  readonly name: string;
  /** Monotonic. */
  activeAtMs: number;
  /** Monotonic; until when it counts as live, for one that died. Undefined: it lives. */
  liveUntilMs: number | undefined;
}

/** A message whose delivery ended without an ack: whoever comes next gets it. */
interface Returned {
  readonly position: number;
  /** Deliveries that count. */
  readonly count: number;
}

export class GroupShard {
  /** Position of the first message that was never delivered. */
  next: number;
  /** Deliveries that are not acked, in the order in which they were made: linked through themselves, because most are gone soon. */
  #first: GroupDelivery | undefined;
  #last: GroupDelivery | undefined;
  #size = 0;
  readonly #returned: Returned[] = [];
  #isSorted = true;

  constructor(next: number) {
    this.next = next;
  }

  get size(): number {
    return this.#size;
  }

  /** By position, lowest last. Sorted when it is looked at, not for each of ten thousand that a member gives back. */
  get returned(): Returned[] {
    if (!this.#isSorted) this.#returned.sort((a, b) => b.position - a.position);
    this.#isSorted = true;
    return this.#returned;
  }

  add(delivery: GroupDelivery): void {
    delivery.shard = this;
    delivery.previous = this.#last;
    if (this.#last === undefined) this.#first = delivery;
    else this.#last.next = delivery;
    this.#last = delivery;
    this.#size += 1;
  }

  remove(delivery: GroupDelivery): void {
    const { previous, next } = delivery;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    delivery.shard = undefined;
    delivery.previous = undefined;
    delivery.next = undefined;
    this.#size -= 1;
  }

  /** The visited one may be removed. */
  *pending(): IterableIterator<GroupDelivery> {
    for (let at = this.#first; at !== undefined; ) {
      const next: GroupDelivery | undefined = at.next;
      yield at;
      at = next;
    }
  }

  giveBack(position: number, count: number): void {
    this.#returned.push({ position, count });
    this.#isSorted = false;
  }
}

export class MemoryGroup {
  readonly name: string;
  readonly members: Set<GroupMember> = new Set();
  /** The one reader of a resumable group. */
  reader: GroupMember | undefined;
  #shards: GroupShard[] = [];
  #turn = 0;

  /** Starts every shard that is there at `position`; one that comes later is read from its beginning. */
  constructor(name: string, logs: readonly ShardLog[], position: Position) {
    this.name = name;
    this.moveTo(logs, position);
  }

  moveTo(logs: readonly ShardLog[], position: Position): void {
    this.#shards = logs.map((log) => new GroupShard(startOf(log, position)));
  }

  liveMembers(nowMs: number): number {
    return [...this.members].filter(({ liveUntilMs }) => liveUntilMs === undefined || liveUntilMs > nowMs).length;
  }

  hasReader(nowMs: number): boolean {
    const reader = this.reader;
    return reader !== undefined && (reader.liveUntilMs === undefined || reader.liveUntilMs > nowMs);
  }

  /** Up to `maxMessages` for a member: first what others left, in order, then what is new. `track`: they stay pending until acked. */
  deliver(
    member: GroupMember,
    streamKey: string,
    logs: readonly ShardLog[],
    limit: { readonly maxMessages: number; readonly maxBytes: number },
    ends: readonly number[] | undefined,
    track: boolean,
    nowMs: number,
  ): GroupDelivery[] {
    const out: GroupDelivery[] = [];
    let bytes = limit.maxBytes;
    const count = logs.length;
    // A fair share each, and then again: what some shards leave over goes to those that have more.
    for (let i = 0; i < 2 * count && out.length < limit.maxMessages && bytes > 0; i++) {
      const shardId = (this.#turn + i) % count;
      const log = logs[shardId] as ShardLog;
      const shard = this.#shard(shardId, log);
      const share =
        out.length + Math.max(1, i < count ? Math.ceil((limit.maxMessages - out.length) / (count - i)) : limit.maxMessages - out.length);
      const end = Math.min(log.next, ends?.[shardId] ?? log.next);
      const take = (stored: StoredMessage, deliveries: number): void => {
        const delivery = new GroupDelivery(stored, streamKey, shardId, member, deliveries, nowMs);
        if (track) shard.add(delivery);
        bytes -= stored.size;
        out.push(delivery);
      };
      const fits = ({ size }: StoredMessage): boolean => size <= bytes || out.length === 0;
      for (let again = shard.returned.at(-1); again !== undefined && out.length < share; again = shard.returned.at(-1)) {
        if (again.position >= end) break;
        const stored = log.at(again.position);
        if (stored !== undefined && !fits(stored)) return this.#nextTurn(count, out);
        shard.returned.pop();
        // Else it was removed by retention while it was pending.
        if (stored !== undefined) take(stored, again.count + 1);
      }
      for (let at = Math.max(shard.next, log.first); at < end && out.length < share; at++) {
        const stored = log.at(at) as StoredMessage;
        if (!fits(stored)) return this.#nextTurn(count, out);
        shard.next = at + 1;
        take(stored, 1);
      }
    }
    return this.#nextTurn(count, out);
  }

  /** The next call begins with the next shard. */
  #nextTurn(shards: number, out: GroupDelivery[]): GroupDelivery[] {
    if (shards > 0) this.#turn = (this.#turn + 1) % shards;
    return out;
  }

  /** Whether it has a position on this shard; on one that came later it begins at the beginning. */
  knows(shardId: number): boolean {
    return this.#shards[shardId] !== undefined;
  }

  /** Takes from their owners what has been idle for so long; the number of messages so freed. */
  claimIdle(claimIdleMs: number, nowMs: number): number {
    let freed = 0;
    for (const shard of this.#shards) {
      for (const delivery of shard.pending()) {
        if (nowMs - delivery.leasedAtMs < claimIdleMs) continue;
        shard.remove(delivery);
        shard.giveBack(delivery.position, delivery.count);
        freed += 1;
      }
    }
    for (const member of this.members) {
      const isDead = member.liveUntilMs !== undefined && member.liveUntilMs <= nowMs;
      if (isDead && this.#pendingOf(member) === 0) this.members.delete(member);
    }
    return freed;
  }

  /** What a reader before this one left pending. */
  claimAll(): void {
    this.claimIdle(Number.NEGATIVE_INFINITY, 0);
  }

  /** Messages that were never delivered, per shard. */
  lag(logs: readonly ShardLog[]): number[] {
    return logs.map((log, shardId) => Math.max(0, log.next - Math.max(this.#shard(shardId, log).next, log.first)));
  }

  /** Whether everything before `ends` was delivered and nothing of it waits to be delivered again. */
  hasDelivered(logs: readonly ShardLog[], ends: readonly number[]): boolean {
    for (const [shardId, log] of logs.entries()) {
      const end = ends[shardId] ?? 0;
      const shard = this.#shard(shardId, log);
      if (Math.max(shard.next, log.first) < end) return false;
      if (shard.returned.some(({ position }) => position < end && position >= log.first)) return false;
    }
    return true;
  }

  info(logs: readonly ShardLog[], nowMs: number): GroupInfo {
    const members = [...this.members].map((member) => ({
      name: member.name,
      pending: this.#pendingOf(member),
      idleMs: Math.max(0, nowMs - member.activeAtMs),
    }));
    const shards = logs.map((log, shardId) => {
      const shard = this.#shard(shardId, log);
      let lowest = shard.next;
      for (const { position } of shard.pending()) lowest = Math.min(lowest, position);
      for (const { position } of shard.returned) lowest = Math.min(lowest, position);
      const lag = Math.max(0, log.next - Math.max(shard.next, log.first));
      return { shardId, committed: BigInt(lowest - 1), pending: shard.size + shard.returned.length, lag };
    });
    const idle = members.map(({ idleMs }) => idleMs);
    return { members, shards, ...(idle.length === 0 ? {} : { idleMs: Math.min(...idle) }) };
  }

  #pendingOf(member: GroupMember): number {
    let count = 0;
    for (const shard of this.#shards) for (const delivery of shard.pending()) if (delivery.member === member) count += 1;
    return count;
  }

  #shard(shardId: number, log: ShardLog): GroupShard {
    let shard = this.#shards[shardId];
    if (shard === undefined) {
      shard = new GroupShard(log.first);
      this.#shards[shardId] = shard;
    }
    return shard;
  }
}

function startOf(log: ShardLog, position: Position): number {
  if (position === "beginning") return log.first;
  if (position === "end") return log.next;
  return "at" in position ? Math.min(Math.max(log.first, Number(position.at)), log.next) : log.firstAfter(position.afterMs);
}
