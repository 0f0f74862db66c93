/** One consumer: it reads the file from its place on, whatever streams are in it, and gives out what belongs to its shards. */
import type {
  CallOptions,
  Clock,
  ConsumerRequest,
  DriverConsumer,
  Received,
  ReceiveLimit,
  Settlement,
  SettleOutcome,
  Shard,
  ShardPosition,
  ShardStart,
  StreamerEvent,
} from "@seaway/core/driver";
import { BatchTaker } from "./batch-taker.ts";
import { FileError } from "./errors.ts";
import { FileReader } from "./file-reader.ts";
import { type FileSurvey, NO_FILE } from "./file-survey.ts";
import { Follower, type ReadingPlace } from "./follower.ts";
import { UnreadableEntry } from "./message.ts";
import { coveredBy, ShardCursor, ShardSelection } from "./shard-selection.ts";
import type { SharedFile } from "./shared-file.ts";
import { FILE_START, lastSequence, planStart } from "./start-position.ts";

export interface FileConsumerParts {
  readonly file: SharedFile;
  readonly request: ConsumerRequest;
  readonly clock: Clock;
  readonly pollIntervalMs: number;
  publish(event: StreamerEvent): void;
  /** Undefined: there is no file yet. The consumer closes it. */
  readonly reader: FileReader | undefined;
  /** What is in the file when the consumer is made. */
  readonly survey: FileSurvey;
  readonly start: readonly ShardStart[];
  readonly place: ReadingPlace;
  readonly cursors: readonly ShardCursor[];
}

export class FileConsumer implements DriverConsumer {
  readonly start: readonly ShardStart[];
  readonly acks = "none";
  readonly flow = "pull";
  readonly #parts: FileConsumerParts;
  readonly #covers: (streamKey: string) => boolean;
  readonly #endAt: number | undefined;
  readonly #taker: BatchTaker;
  #opening: Promise<FileReader | undefined> | undefined;
  #reader: FileReader | undefined;
  #follower: Follower | undefined;
  #selection: ShardSelection;
  /** Shards that were known at a seek and not among its targets. */
  #left: readonly Shard[] = [];
  /** Where reading starts once there is a file. */
  #place: ReadingPlace;
  #epoch = 0;
  #hasNews = false;
  #isClosed = false;
  #unreadableBytes: number;
  #wake: (() => void) | undefined;
  /** Seeks come one after the other. */
  #moving: Promise<unknown> = Promise.resolve();
  readonly #unfollow: () => void;

  constructor(parts: FileConsumerParts) {
    const { request, survey, file, clock, pollIntervalMs } = parts;
    const { streams, from } = request;
    this.#parts = parts;
    this.start = parts.start;
    // Shards that were named are read, and no others.
    this.#covers = typeof from === "string" ? coveredBy(streams) : () => false;
    this.#endAt = request.until === "end" ? survey.end : undefined;
    this.#unreadableBytes = this.#endAt === undefined ? 0 : survey.unreadableBytes;
    this.#taker = new BatchTaker("pattern" in streams ? undefined : streams[0]);
    this.#place = parts.place;
    this.#selection = new ShardSelection(this.#covers, parts.cursors, [], request.onAssigned);
    if (parts.reader !== undefined) this.#use(parts.reader);
    this.#unfollow = file.follow(this.#onNews, clock, pollIntervalMs);
  }

  async receive(limit: ReceiveLimit): Promise<Received> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonic() + limit.maxWaitMs;
    for (;;) {
      if (this.#isClosed) return { messages: [], epoch: this.#epoch };
      const messages = this.#follower === undefined ? [] : this.#taker.take(this.#follower, this.#selection, limit);
      if (messages.length > 0) return { messages, epoch: this.#epoch };
      if (this.#isEnded()) return { messages: this.#lastWords(), epoch: this.#epoch, ended: true };
      const hadNews = this.#hasNews;
      this.#hasNews = false;
      const hasMore = !this.#taker.isFull && (await this.#fill(hadNews));
      if (limit.signal.aborted) return { messages: [], epoch: this.#epoch };
      if (hasMore || this.#hasNews) continue;
      const leftMs = untilMs - clock.monotonic();
      if (leftMs <= 0) return { messages: [], epoch: this.#epoch };
      await this.#wait(leftMs, limit.signal);
    }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    return settlements.map(() => "done");
  }

  seek(targets: readonly ShardPosition[], call: CallOptions): Promise<{ readonly epoch: number }> {
    const moved = this.#moving.then(() => this.#seek(targets, call));
    this.#moving = moved.catch(() => undefined);
    return moved;
  }

  /**
   * Counted by sequences: those of our files have no gaps. Unknown between a seek to a time and the first message after it.
   */
  async lag(call: CallOptions): Promise<readonly (Shard & { readonly messages: number | undefined })[]> {
    const survey = await this.#survey(call);
    return Array.from(this.#selection.cursors, (cursor) => {
      const { streamKey, shardId, passed } = cursor;
      const messages = passed === undefined ? undefined : Math.max(0, Number(lastSequence(cursor, survey) - passed));
      return { streamKey, shardId, messages };
    });
  }

  async stop(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    this.#wake?.();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#moving;
    await this.#opening?.catch(() => undefined);
    await this.#reader?.close();
  }

  readonly #onNews = (): void => {
    this.#hasNews = true;
    this.#wake?.();
  };

  async #seek(targets: readonly ShardPosition[], call: CallOptions): Promise<{ readonly epoch: number }> {
    const survey = await this.#survey(call);
    const { place, cursors } = await planStart(targets, survey, this.#reader);
    call.signal.throwIfAborted();
    const isTarget = (shard: Shard): boolean =>
      targets.some(({ streamKey, shardId }) => streamKey === shard.streamKey && shardId === shard.shardId);
    this.#left = [...this.#left, ...this.#selection.cursors].filter((shard) => !isTarget(shard));
    this.#move(place, cursors);
    this.#epoch += 1;
    this.#onNews();
    return { epoch: this.#epoch };
  }

  #move(place: ReadingPlace, cursors: readonly ShardCursor[]): void {
    this.#place = place;
    this.#selection = new ShardSelection(this.#covers, cursors, this.#left, this.#parts.request.onAssigned);
    this.#taker.clear();
    this.#follower?.moveTo(place);
  }

  /** Opens the file if it is there and was not yet. */
  #open(): Promise<FileReader | undefined> {
    if (this.#reader !== undefined) return Promise.resolve(this.#reader);
    this.#opening ??= FileReader.open(this.#parts.file.path)
      .then((reader) => {
        if (reader !== undefined) this.#use(reader);
        return reader;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  #use(reader: FileReader): void {
    const { file, publish } = this.#parts;
    this.#reader = reader;
    this.#follower = new Follower(reader, this.#place, {
      knownSize: () => (file.writer === undefined ? 0 : file.size),
      publish,
      endAt: this.#endAt,
    });
  }

  async #survey(call: CallOptions): Promise<FileSurvey> {
    const reader = await this.#open();
    return this.#parts.file.writer?.survey() ?? (await reader?.survey(call)) ?? NO_FILE;
  }

  async #fill(hasNews: boolean): Promise<boolean> {
    if (this.#follower === undefined) return (await this.#open()) !== undefined;
    try {
      return await this.#follower.fill(hasNews);
    } catch (error) {
      // What was being read when it closed has nobody to read it.
      if (this.#isClosed) return false;
      if (error instanceof FileError) await this.#loseFile(error);
      throw error;
    }
  }

  /** The file is gone. Who reads on all the same gets what comes in its place, from its beginning. */
  async #loseFile(error: FileError): Promise<void> {
    this.#parts.publish({ code: "file-gone", level: "error", message: error.message, error });
    await this.#reader?.close();
    this.#reader = undefined;
    this.#follower = undefined;
    this.#move(
      FILE_START,
      Array.from(this.#selection.cursors, (shard) => new ShardCursor(shard, undefined, 0n)),
    );
  }

  #isEnded(): boolean {
    if (this.#endAt === undefined || !this.#taker.isEmpty) return false;
    return this.#follower === undefined || this.#follower.isEnded;
  }

  /** What stood behind the last whole message of a bounded read, and could not be made out, is told once at its end. */
  #lastWords(): UnreadableEntry[] {
    const bytes = this.#unreadableBytes;
    if (bytes === 0) return [];
    this.#unreadableBytes = 0;
    const startOffset = this.#endAt ?? 0;
    const reason = "what is behind the last whole message cannot be made out";
    const { streams } = this.#parts.request;
    const problem = { kind: "problem", code: "skipped", startOffset, endOffset: startOffset + bytes, reason } as const;
    return [new UnreadableEntry(problem, "pattern" in streams ? streams.pattern : (streams[0] ?? ""), undefined)];
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#wake = undefined;
        timer.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = this.#parts.clock.setTimer(end, delayMs);
      signal.addEventListener("abort", end, { once: true });
      this.#wake = end;
      if (signal.aborted || this.#isClosed) end();
    });
  }
}
