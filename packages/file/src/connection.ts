/** One streamer's connection to a file: it opens the writer when something is to be written, and a reader for each consumer. */
import {
  type CallOptions,
  type Capabilities,
  type ConsumerRequest,
  type DriverConnection,
  type DriverConsumer,
  type DriverProducer,
  type OpenContext,
  type Shard,
  type ShardStart,
  type StreamRequest,
  type StreamShape,
  streamCreated,
  WILDCARD_STREAM_KEY,
} from "@seaway/core/driver";
import { FileAdmin } from "./admin.ts";
import { FileConsumer } from "./consumer.ts";
import { fileExists, missingStream } from "./errors.ts";
import { FileReader } from "./file-reader.ts";
import { type FileSurvey, NO_FILE } from "./file-survey.ts";
import { lookAt } from "./file-watch.ts";
import type { FileWriter } from "./file-writer.ts";
import type { FileSettings } from "./options.ts";
import { FileProducer } from "./producer.ts";
import { coveredBy, ShardCursor } from "./shard-selection.ts";
import { SharedFile } from "./shared-file.ts";
import { FILE_START, lastSequence, planStart, type StartPlan } from "./start-position.ts";

/** What `native` of a connection is. */
export interface FileNative {
  /** Absolute, links followed. */
  readonly path: string;
}

export class FileConnection implements DriverConnection {
  readonly capabilities: Capabilities;
  readonly admin: FileAdmin;
  readonly native: FileNative;
  readonly #settings: FileSettings;
  readonly #context: OpenContext;
  readonly #file: SharedFile;
  #writer: FileWriter | undefined;
  /** Ends when the writer that was asked for last is there. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, capabilities: Capabilities, settings: FileSettings, context: OpenContext) {
    this.capabilities = capabilities;
    this.native = { path };
    this.#settings = settings;
    this.#context = context;
    this.#file = SharedFile.acquire(path, context.onEvent);
    this.admin = new FileAdmin(this.#file);
  }

  /** `path`: resolved. Rejects what is there and is no `.ss` file. */
  static async open(path: string, capabilities: Capabilities, settings: FileSettings, context: OpenContext): Promise<FileConnection> {
    if (settings.createOnly && (await lookAt(path)) !== undefined) throw fileExists(path);
    await (await FileReader.open(path))?.close();
    return new FileConnection(path, capabilities, settings, context);
  }

  async ensureStream(streamKey: string, request: StreamRequest, call: CallOptions): Promise<StreamShape> {
    const writer = await this.#writerFor(streamKey, request.create, call);
    const isNew = writer.shardsOf(streamKey) === undefined;
    if (isNew && !request.create) throw missingStream(streamKey, this.#file.path);
    const shards = writer.ensure(streamKey, request.shards);
    if (isNew) this.#context.onEvent(streamCreated(streamKey, shards));
    return { shards };
  }

  async openProducer(): Promise<DriverProducer> {
    return new FileProducer(this.#file.path, () => this.#writer, this.#settings, this.#context.clock);
  }

  async openConsumer(request: ConsumerRequest, call: CallOptions): Promise<DriverConsumer> {
    const file = this.#file;
    // What a writer of this process has not yet written was not yet told to be stored: it comes after the end as it is now.
    const written = file.writer?.survey();
    const reader = await FileReader.open(file.path);
    try {
      const survey = written ?? (await reader?.survey(call)) ?? NO_FILE;
      const shards = shardsToRead(request, survey, file.path);
      const { place, cursors } = await this.#plan(request, shards, survey, reader);
      call.signal.throwIfAborted();
      const origin = typeof request.from === "string" ? request.from : "sought";
      const start = cursors.map(({ streamKey, shardId }): ShardStart => ({ streamKey, shardId, origin }));
      const { clock, onEvent: publish } = this.#context;
      const { pollIntervalMs } = this.#settings;
      return new FileConsumer({ file, request, clock, pollIntervalMs, publish, reader, survey, start, place, cursors });
    } catch (error) {
      await reader?.close();
      throw error;
    }
  }

  async ping(): Promise<void> {
    await (await FileReader.open(this.#file.path))?.close();
  }

  async close(): Promise<void> {
    await this.#turn;
    try {
      if (this.#writer !== undefined) await this.#file.leaveWriter(this.#writer);
    } finally {
      this.#file.release(this.#context.onEvent);
    }
  }

  /** The file's writer, which stays open until the connection closes. One call at a time, so that it is joined once. */
  #writerFor(streamKey: string, create: boolean, call: CallOptions): Promise<FileWriter> {
    const found = this.#turn.then(async () => {
      const before = this.#writer;
      if (before !== undefined && !before.isGone) return before;
      const { createOnly, beaconInterval } = this.#settings;
      const isFirst = before === undefined && createOnly;
      if (isFirst && this.#file.writer !== undefined) throw fileExists(this.#file.path);
      const nowMs = this.#context.clock.now();
      const { signal } = call;
      this.#writer = await this.#file.joinWriter({ create, createOnly: isFirst, beaconInterval, streamKey, nowMs, signal });
      return this.#writer;
    });
    this.#turn = found.catch(() => undefined);
    return found;
  }

  async #plan(request: ConsumerRequest, shards: readonly Shard[], survey: FileSurvey, reader: FileReader | undefined): Promise<StartPlan> {
    const { from } = request;
    if (typeof from !== "string") return planStart(from, survey, reader);
    const isLatest = from === "latest";
    return {
      place: isLatest ? { offset: survey.end, isBeacon: false } : FILE_START,
      cursors: shards.map((shard) => new ShardCursor(shard, undefined, isLatest ? lastSequence(shard, survey) : 0n)),
    };
  }
}

/** The shards that are known of the streams asked for; of a stream that is not there yet, the one that every stream has. */
function shardsToRead({ streams, createStream, from }: ConsumerRequest, survey: FileSurvey, path: string): Shard[] {
  const covers = coveredBy(streams);
  const known = survey.shards.filter(({ streamKey }) => covers(streamKey));
  const keys = "pattern" in streams ? [] : streams.filter((key) => key !== WILDCARD_STREAM_KEY);
  const missing = keys.filter((key) => !known.some(({ streamKey }) => streamKey === key));
  const first = missing[0];
  if (first !== undefined && !createStream && typeof from === "string") throw missingStream(first, path);
  return [
    ...known.map(({ streamKey, shardId }) => ({ streamKey, shardId })),
    ...missing.map((streamKey) => ({ streamKey, shardId: 0 })),
  ].sort((a, b) => (a.streamKey === b.streamKey ? a.shardId - b.shardId : a.streamKey < b.streamKey ? -1 : 1));
}
