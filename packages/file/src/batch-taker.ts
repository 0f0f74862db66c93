/** Takes from a follower what one `receive` may have: the wanted shards' messages, within its bounds. What does not fit waits here. */
import { type IncomingMessage, type ReceiveLimit, WILDCARD_STREAM_KEY } from "@seaway/core/driver";
import type { Damage, Follower } from "./follower.ts";
import type { StreamId } from "./format/stream-id.ts";
import { FileMessage, UnreadableEntry } from "./message.ts";
import type { ShardCursor, ShardSelection } from "./shard-selection.ts";

/** Messages of paused shards that are kept while others are read on; then reading waits. */
const MAX_PARKED_MESSAGES = 10_000;

export class BatchTaker {
  readonly #damageGoesTo: string;
  /** Did not fit into the bytes of the batch before. */
  #held: FileMessage | UnreadableEntry | undefined;
  /** Of paused shards, in the file's order. */
  #parked: FileMessage[] = [];

  /** `damageGoesTo`: the stream that damage is told under where its bytes do not tell theirs. */
  constructor(damageGoesTo: string = WILDCARD_STREAM_KEY) {
    this.#damageGoesTo = damageGoesTo;
  }

  get isEmpty(): boolean {
    return this.#held === undefined && this.#parked.length === 0;
  }

  get isFull(): boolean {
    return this.#parked.length >= MAX_PARKED_MESSAGES;
  }

  clear(): void {
    this.#held = undefined;
    this.#parked = [];
  }

  take(follower: Follower, selection: ShardSelection, limit: ReceiveLimit): IncomingMessage[] {
    const batch: IncomingMessage[] = [];
    const { maxMessages } = limit;
    const hasPaused = limit.paused.length > 0;
    let bytes = limit.maxBytes;
    if (this.#parked.length > 0) bytes = this.#takeParked(selection, limit, batch);
    let stream: StreamId | undefined;
    let cursor: ShardCursor | undefined;
    let last: FileMessage | undefined;
    while (batch.length < maxMessages && !this.isFull) {
      const item = this.#held ?? follower.next();
      if (item === undefined) break;
      if (!(item instanceof FileMessage)) {
        const entry = item instanceof UnreadableEntry ? item : this.#entryFor(item, selection);
        if (entry === undefined) continue;
        if (entry.size > bytes && batch.length > 0) {
          this.#held = entry;
          break;
        }
        this.#held = undefined;
        bytes -= entry.size;
        batch.push(entry);
        continue;
      }
      if (item.stream !== stream) {
        // Only now the sequence is read: once for a run of messages.
        if (cursor !== undefined && last !== undefined) cursor.passed = last.sequence;
        last = undefined;
        stream = item.stream;
        cursor = selection.cursorOf(stream);
      }
      if (cursor === undefined || !cursor.wants(item)) continue;
      if (hasPaused && isPaused(item, limit)) {
        this.#held = undefined;
        this.#parked.push(item);
        continue;
      }
      const { size } = item;
      if (size > bytes && batch.length > 0) {
        this.#held = item;
        break;
      }
      this.#held = undefined;
      bytes -= size;
      last = item;
      batch.push(item);
    }
    if (cursor !== undefined && last !== undefined) cursor.passed = last.sequence;
    return batch;
  }

  /** The bytes still free. */
  #takeParked(selection: ShardSelection, limit: ReceiveLimit, batch: IncomingMessage[]): number {
    let bytes = limit.maxBytes;
    const parked = this.#parked;
    this.#parked = [];
    for (const message of parked) {
      const fits = batch.length < limit.maxMessages && (message.size <= bytes || batch.length === 0);
      if (!fits) bytes = 0;
      if (!fits || isPaused(message, limit)) {
        this.#parked.push(message);
        continue;
      }
      bytes -= message.size;
      batch.push(message);
      const cursor = selection.cursorOf(message.stream);
      if (cursor !== undefined) cursor.passed = message.sequence;
    }
    return bytes;
  }

  #entryFor({ problem, raw }: Damage, selection: ShardSelection): UnreadableEntry | undefined {
    const { message } = problem;
    if (message instanceof FileMessage && selection.cursorOf(message.stream)?.wants(message) !== true) return undefined;
    return new UnreadableEntry(problem, this.#damageGoesTo, raw);
  }
}

function isPaused({ streamKey, shardId }: FileMessage, { paused }: ReceiveLimit): boolean {
  return paused.some((shard) => shard.streamKey === streamKey && shard.shardId === shardId);
}
