/** Reads shards of the broker in memory, each from a cursor, in turns. */
import type { CallOptions } from "../driver/driver.ts";
import type {
  ConsumerRequest,
  DriverConsumer,
  IncomingMessage,
  Received,
  ReceiveLimit,
  Settlement,
  SettleOutcome,
} from "../driver/driver-consumer.ts";
import type { Position, Shard, ShardPosition, ShardStart } from "../driver/shard.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock } from "../time/clock.ts";
import { type MemoryBroker, type MemoryStream, MissingStream } from "./broker.ts";
import { MissingShard } from "./errors.ts";
import { News } from "./news.ts";
import type { ShardLog } from "./shard-log.ts";

interface Cursor extends Shard {
  readonly stream: MemoryStream;
  readonly log: ShardLog;
  next: number;
  /** Messages whose broker time is not later than this are passed over: a seek into the future. */
  afterMs: number;
}

export interface MemoryConsumerParts {
  readonly broker: MemoryBroker;
  readonly request: ConsumerRequest;
  readonly streams: readonly MemoryStream[];
  /** Whether a stream made later belongs to it. */
  readonly covers: (streamKey: string) => boolean;
  readonly clock: Clock;
  publish(event: StreamerEvent): void;
}

export class MemoryConsumer implements DriverConsumer {
  readonly start: readonly ShardStart[];
  readonly acks = "none";
  readonly flow = "pull";
  readonly #parts: MemoryConsumerParts;
  readonly #news: News;
  #cursors: Cursor[];
  /** Where each shard ends for a bounded read, by stream and shard. */
  readonly #ends: ReadonlyMap<ShardLog, number> | undefined;
  #turn = 0;
  #epoch = 0;
  /** The last stream that was deleted under it. */
  #deleted: string | undefined;
  /** A seek named the shards to read: no others are added. */
  #isPinned = false;
  #closed = false;

  constructor(parts: MemoryConsumerParts) {
    this.#parts = parts;
    this.#news = new News(parts.clock);
    const { request, streams, broker } = parts;
    const cursors = streams.flatMap((stream) => stream.shards.map((log, shardId) => cursorAt(stream, shardId, log, "beginning")));
    if (typeof request.from === "string") {
      const origin = request.from;
      this.#cursors = cursors;
      if (origin === "latest") for (const cursor of cursors) cursor.next = cursor.log.next;
      this.start = cursors.map(({ streamKey, shardId }) => ({ streamKey, shardId, origin }));
    } else {
      this.#cursors = this.#cursorsFor(request.from);
      this.start = this.#cursors.map(({ streamKey, shardId }) => ({ streamKey, shardId, origin: "sought" }));
    }
    this.#ends = request.until === "end" ? new Map(cursors.map(({ log }) => [log, log.next])) : undefined;
    for (const stream of streams) stream.listeners.add(this.#news.tell);
    if (this.#ends === undefined) broker.streamListeners.add(this.#onStream);
  }

  async receive(limit: ReceiveLimit): Promise<Received> {
    let waited = false;
    for (;;) {
      if (this.#closed) return { messages: [], epoch: this.#epoch };
      this.#assertStreams();
      const messages = this.#take(limit);
      const ended = this.#ended();
      if (messages.length > 0 || ended || waited || limit.signal.aborted || limit.maxWaitMs <= 0)
        return { messages, epoch: this.#epoch, ended };
      const epoch = this.#epoch;
      const timedOut = await this.#news.wait(limit);
      // What woke it may have been a seek: then the answer is what lies there, and waiting begins again.
      waited = timedOut && epoch === this.#epoch;
    }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    return settlements.map(() => "done");
  }

  async seek(targets: readonly ShardPosition[]): Promise<{ readonly epoch: number }> {
    this.#cursors = this.#cursorsFor(targets);
    this.#isPinned = targets.length < this.#shardCount();
    this.#epoch += 1;
    this.#news.tell();
    return { epoch: this.#epoch };
  }

  async lag(): Promise<readonly (Shard & { readonly messages: number })[]> {
    return this.#cursors.map(({ streamKey, shardId, log, next }) => ({
      streamKey,
      shardId,
      messages: Math.max(0, log.next - Math.max(next, log.first)),
    }));
  }

  async stop(): Promise<void> {
    this.#closed = true;
    this.#news.tell();
  }

  async close(_call: CallOptions): Promise<void> {
    this.#closed = true;
    for (const stream of this.#parts.broker.streams.values()) stream.listeners.delete(this.#news.tell);
    for (const { stream } of this.#cursors) stream.listeners.delete(this.#news.tell);
    this.#parts.broker.streamListeners.delete(this.#onStream);
    this.#news.tell();
  }

  /** A stream that matches and was made later is read from its beginning. */
  readonly #onStream = (stream: MemoryStream): void => {
    if (!this.#parts.covers(stream.key) || (this.#isPinned && !this.#cursors.some(({ streamKey }) => streamKey === stream.key))) return;
    this.#deleted = undefined;
    this.#cursors = this.#cursors.filter((cursor) => cursor.streamKey !== stream.key);
    const found = stream.shards.map((log, shardId) => cursorAt(stream, shardId, log, "beginning"));
    this.#cursors.push(...found);
    stream.listeners.add(this.#news.tell);
    this.#parts.request.onAssigned(found.map(({ streamKey, shardId }) => ({ streamKey, shardId, origin: "earliest" })));
    this.#news.tell();
  };

  /** A stream that was deleted is told once; the others are read on. */
  #assertStreams(): void {
    const gone = this.#cursors.find((cursor) => cursor.stream.deleted);
    if (gone === undefined) {
      if (this.#cursors.length === 0 && this.#deleted !== undefined) throw new MissingStream(this.#deleted);
      return;
    }
    this.#cursors = this.#cursors.filter((cursor) => cursor.stream !== gone.stream);
    this.#deleted = gone.streamKey;
    throw new MissingStream(gone.streamKey);
  }

  /** From each shard in turn a fair share, beginning where the last call left off, and then again: what is left over goes to those that have more. */
  #take(limit: ReceiveLimit): IncomingMessage[] {
    const messages: IncomingMessage[] = [];
    const count = this.#cursors.length;
    let bytes = limit.maxBytes;
    for (let i = 0; i < 2 * count && messages.length < limit.maxMessages; i++) {
      const cursor = this.#cursors[(this.#turn + i) % count] as Cursor;
      if (limit.paused.some((shard) => shard.streamKey === cursor.streamKey && shard.shardId === cursor.shardId)) continue;
      const left = limit.maxMessages - messages.length;
      const share = i < count ? Math.max(1, Math.ceil(left / (count - i))) : left;
      bytes = this.#takeFrom(cursor, messages, share, bytes);
      if (bytes <= 0) break;
    }
    if (count > 0) this.#turn = (this.#turn + 1) % count;
    return messages;
  }

  /** The bytes still free; 0 when they are used up. */
  #takeFrom(cursor: Cursor, messages: IncomingMessage[], share: number, bytes: number): number {
    const { log } = cursor;
    this.#skipTrimmed(cursor);
    const end = Math.min(this.#ends?.get(log) ?? log.next, log.next);
    let left = bytes;
    let taken = 0;
    while (cursor.next < end && taken < share) {
      const message = log.at(cursor.next);
      if (message === undefined) break;
      if (message.size > left && messages.length > 0) return 0;
      cursor.next += 1;
      if (message.brokerTimestampMs <= cursor.afterMs) continue;
      left -= message.size;
      taken += 1;
      messages.push(message);
    }
    return left;
  }

  /** What retention removed before it was read is lost to this consumer: that is said. */
  #skipTrimmed(cursor: Cursor): void {
    const { log, streamKey, shardId } = cursor;
    if (cursor.next >= log.first) return;
    const count = log.first - cursor.next;
    cursor.next = log.first;
    const message = `${count} messages of "${streamKey}" were removed by retention before this consumer read them`;
    this.#parts.publish({ code: "messages-trimmed", level: "warn", message, streamKey, shardId, count });
  }

  #ended(): boolean {
    const ends = this.#ends;
    return ends !== undefined && this.#cursors.every(({ log, next }) => Math.max(next, log.first) >= (ends.get(log) ?? 0));
  }

  #cursorsFor(targets: readonly ShardPosition[]): Cursor[] {
    return targets.map(({ streamKey, shardId, position }) => {
      const stream = this.#parts.broker.streams.get(streamKey);
      const log = stream?.shards[shardId];
      if (stream === undefined) throw new MissingStream(streamKey);
      if (log === undefined) throw new MissingShard(streamKey, shardId, stream.shards.length);
      return cursorAt(stream, shardId, log, position);
    });
  }

  /** Of all streams that are this consumer's. */
  #shardCount(): number {
    let count = 0;
    for (const stream of this.#parts.broker.streams.values()) if (this.#parts.covers(stream.key)) count += stream.shards.length;
    return count;
  }
}

function cursorAt(stream: MemoryStream, shardId: number, log: ShardLog, position: Position): Cursor {
  const cursor: Cursor = { streamKey: stream.key, shardId, stream, log, next: log.first, afterMs: Number.NEGATIVE_INFINITY };
  if (position === "beginning") return cursor;
  if (position === "end") cursor.next = log.next;
  else if ("at" in position) cursor.next = Math.max(log.first, Number(position.at));
  else {
    cursor.next = log.firstAfter(position.afterMs);
    cursor.afterMs = position.afterMs;
  }
  return cursor;
}
