/** A broker in memory: streams by key, each of some shards, and who wants to hear of what is new. */
import type { Retention } from "../driver/driver.ts";
import type { OutgoingMessage, SendOutcome } from "../driver/driver-producer.ts";
import { processMap } from "../driver/process-map.ts";
import type { Position } from "../driver/shard.ts";
import type { Clock } from "../time/clock.ts";
import { MemoryGroup } from "./group.ts";
import { StoredMessage } from "./message.ts";
import { ShardLog } from "./shard-log.ts";

interface Seen {
  readonly position: number;
  readonly shardId: number;
  readonly timestampMs: number;
  readonly atMs: number;
}

export class MemoryStream {
  readonly key: string;
  readonly shards: ShardLog[];
  readonly groups: Map<string, MemoryGroup> = new Map();
  /** Called after something was appended, or the stream was deleted. */
  readonly listeners: Set<() => void> = new Set();
  deleted = false;
  readonly #retention: Retention;
  /** Message ids in the order in which they came. */
  readonly #seen = new Map<string, Seen>();

  constructor(key: string, shards: number, retention: Retention) {
    this.key = key;
    this.shards = Array.from({ length: shards }, () => new ShardLog());
    this.#retention = retention;
  }

  /** Stores one message; its payload is in `slab` already. */
  append(message: OutgoingMessage, log: ShardLog, nowMs: number, slab: Uint8Array, offset: number): StoredMessage {
    // Broker time never goes back within a shard: seek by time is a bisection.
    const stored = new StoredMessage(message, log.next, Math.max(nowMs, log.lastMs ?? 0), slab, offset);
    log.append(stored);
    const { maxMessages, maxAgeMs, maxBytes } = this.#retention;
    if (maxMessages !== undefined) log.trimTo(log.next - maxMessages);
    if (maxBytes !== undefined) log.trimWhile(() => log.bytes > maxBytes);
    if (maxAgeMs !== undefined) log.trimWhile((oldest) => oldest.brokerTimestampMs < nowMs - maxAgeMs);
    return stored;
  }

  seen(messageId: string, nowMs: number, windowMs: number): Seen | undefined {
    for (const [id, { atMs }] of this.#seen) {
      if (atMs >= nowMs - windowMs) break;
      this.#seen.delete(id);
    }
    return this.#seen.get(messageId);
  }

  remember(messageId: string, seen: Seen): void {
    this.#seen.set(messageId, seen);
  }

  /** The group of this name; a new one starts at `position`. */
  group(name: string, position: Position): MemoryGroup {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new MemoryGroup(name, this.shards, position);
      this.groups.set(name, group);
    }
    return group;
  }

  /** Adds shards, for tests of what happens when there are more. */
  grow(shards: number): void {
    while (this.shards.length < shards) this.shards.push(new ShardLog());
    this.notify();
  }

  /** Whoever is woken first gets the most: they take turns. */
  notify(): void {
    const [first] = this.listeners;
    for (const listener of this.listeners) listener();
    if (first !== undefined && this.listeners.size > 1 && this.listeners.delete(first)) this.listeners.add(first);
  }
}

export class MemoryBroker {
  readonly streams: Map<string, MemoryStream> = new Map();
  /** Called with every stream that is made. */
  readonly streamListeners: Set<(stream: MemoryStream) => void> = new Set();
  connections = 0;

  create(key: string, shards: number, retention: Retention): MemoryStream {
    const stream = new MemoryStream(key, shards, retention);
    this.streams.set(key, stream);
    for (const listener of this.streamListeners) listener(stream);
    return stream;
  }

  delete(stream: MemoryStream): void {
    stream.deleted = true;
    this.streams.delete(stream.key);
    stream.notify();
  }

  /** Stores a batch. Payloads are copied, together, because the sender's buffers are its own again once it has its receipts. */
  store(batch: readonly OutgoingMessage[], dedupe: boolean, dedupeWindowMs: number, clock: Clock): SendOutcome[] {
    let bytes = 0;
    for (const message of batch) bytes += message.payload.length;
    // Not a Buffer, whose `slice` is a view: programs are told that a slice of a payload is a copy.
    const slab = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
    const nowMs = clock.now();
    const touched = new Set<MemoryStream>();
    let offset = 0;
    let stream: MemoryStream | undefined;
    const outcomes = batch.map((message): SendOutcome => {
      if (stream?.key !== message.streamKey) stream = this.streams.get(message.streamKey);
      const log = stream?.shards[message.shardId];
      if (stream === undefined || log === undefined) return { stored: false, error: new MissingStream(message.streamKey) };
      const { messageId } = message;
      if (dedupe && messageId !== undefined) {
        const before = stream.seen(messageId, nowMs, dedupeWindowMs);
        if (before !== undefined) {
          return {
            stored: true,
            sequence: BigInt(before.position),
            timestampMs: before.timestampMs,
            duplicate: true,
            shardId: before.shardId,
          };
        }
      }
      slab.set(message.payload, offset);
      const { position, timestampMs } = stream.append(message, log, nowMs, slab, offset);
      offset += message.payload.length;
      if (dedupe && messageId !== undefined) stream.remember(messageId, { position, shardId: message.shardId, timestampMs, atMs: nowMs });
      touched.add(stream);
      return { stored: true, sequence: BigInt(position), timestampMs };
    });
    for (const each of touched) each.notify();
    return outcomes;
  }
}

/** A stream that is not there, or no longer. */
export class MissingStream extends Error {
  override readonly name = "MissingStream";
  constructor(streamKey: string) {
    super(`there is no stream "${streamKey}"`);
  }
}

/** The broker of this name in this process; it lives while it has streams or connections. */
export function acquireBroker(name: string): MemoryBroker {
  const brokers = processMap<MemoryBroker>("memory-broker");
  let broker = brokers.get(name);
  if (broker === undefined) {
    broker = new MemoryBroker();
    brokers.set(name, broker);
  }
  broker.connections += 1;
  return broker;
}

export function releaseBroker(name: string, broker: MemoryBroker): void {
  broker.connections -= 1;
  const brokers = processMap<MemoryBroker>("memory-broker");
  if (broker.connections === 0 && broker.streams.size === 0 && brokers.get(name) === broker) brokers.delete(name);
}
