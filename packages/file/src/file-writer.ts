/**
 * The one writer of a file in a process. Batches are turned into bytes as they come and written one after the other, each with one
 * write at a known offset, so that the next is encoded while the one before is on its way to the disk.
 *
 * States: ready, or to be read again (`#mustReload`: a write failed, the file is not as it was left, or an end-of-stream has to go).
 * Whatever happened, the way back is the one that opening a file takes: find the last whole message, cut off what is behind it.
 */
import { fstatSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { OutgoingMessage, SendOutcome, StreamerEvent } from "@seaway/core/driver";
import { type BatchOptions, encodeBatch, Stored } from "./encode-batch.ts";
import { fileGone } from "./errors.ts";
import type { FileSurvey } from "./file-survey.ts";
import type { FileHeader } from "./format/file-header.ts";
import { type EncodedBytes, type EncoderState, SsEncoder } from "./format/ss-encoder.ts";
import { cutTail, type OpenedFile } from "./open-for-append.ts";
import { StreamCatalog } from "./stream-catalog.ts";

interface Job {
  /** `eos`: the end-of-stream message. */
  readonly batch: readonly OutgoingMessage[] | "eos";
  readonly options: BatchOptions;
  readonly resolve: (outcomes: readonly SendOutcome[]) => void;
  outcomes: readonly SendOutcome[];
  /** Undefined: not encoded yet. */
  bytes: EncodedBytes | undefined;
}

/** After a failure the file is read again from the last state noted; further than this behind, its beacons are the shorter way. */
const NOTE_STATE_EACH_BYTES = 16 * 1024 * 1024;
const NEVER = new AbortController().signal;

export class FileWriter {
  readonly path: string;
  readonly header: FileHeader;
  /** How many are open. */
  producers = 0;
  /** One of them wanted an end-of-stream behind the last. */
  endsWithEos = false;
  readonly #handle: FileHandle;
  readonly #publish: (event: StreamerEvent) => void;
  readonly #onWritten: (size: number) => void;
  readonly #catalog: StreamCatalog;
  #encoder: SsEncoder;
  readonly #jobs: Job[] = [];
  #draining: Promise<void> | undefined;
  #mustReload = false;
  #isGone = false;
  /** A state that the file is known to have had. */
  #noted: EncoderState;
  /** Bytes in the file. */
  #size: number;
  /** File offset after the last message: the size, or before an end-of-stream. */
  #end: number;

  constructor(path: string, opened: OpenedFile, publish: (event: StreamerEvent) => void, onWritten: (size: number) => void) {
    this.path = path;
    this.header = opened.header;
    this.#handle = opened.handle;
    this.#publish = publish;
    this.#onWritten = onWritten;
    this.#noted = opened.state;
    this.#size = opened.state.offset;
    this.#end = opened.state.offset;
    this.#encoder = new SsEncoder(opened.state);
    this.#catalog = new StreamCatalog(this.#encoder, opened.state.streams);
    onWritten(this.#size);
  }

  /** The file was removed, or replaced by another: nothing can be written any more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  shardsOf(streamKey: string): number | undefined {
    return this.#catalog.shardsOf(streamKey);
  }

  /** Finds or makes a stream; gives its count of shards. */
  ensure(streamKey: string, shards: number | undefined): number {
    return this.#catalog.ensure(streamKey, shards);
  }

  /** What is in the file, as far as it is written. */
  survey(): FileSurvey {
    return { end: this.#end, shards: this.#catalog.survey(), unreadableBytes: 0 };
  }

  /** Appends a batch behind all that were given before; resolves when it is written, or when it is known that it is not. */
  append(batch: readonly OutgoingMessage[], options: BatchOptions): Promise<readonly SendOutcome[]> {
    return this.#put(batch, options);
  }

  /** Ends the file, until something is appended to it again. */
  async appendEos(options: BatchOptions): Promise<void> {
    const [outcome] = await this.#put("eos", options);
    if (outcome?.stored !== true) throw outcome?.error;
  }

  /** Waits for what is on its way. Nothing may be appended afterwards. */
  async close(): Promise<void> {
    await this.#draining;
    await this.#handle.close();
  }

  #put(batch: Job["batch"], options: BatchOptions): Promise<readonly SendOutcome[]> {
    return new Promise((resolve) => {
      const job: Job = { batch, options, resolve, outcomes: [], bytes: undefined };
      if (!this.#mustReload) this.#encode(job);
      this.#jobs.push(job);
      this.#draining ??= this.#drain();
    });
  }

  #encode(job: Job): void {
    if (job.batch === "eos") {
      const { nowMs } = job.options;
      this.#encoder.appendEos(Math.floor(nowMs));
      job.outcomes = [new Stored(0, nowMs)];
      // What comes behind an end-of-stream takes its place.
      this.#mustReload = true;
    } else {
      job.outcomes = encodeBatch(this.path, this.#encoder, this.#catalog, job.batch, job.options);
    }
    job.bytes = this.#encoder.take();
  }

  async #drain(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      try {
        if (job.bytes === undefined || this.#changedByOthers()) await this.#reload(job.options.nowMs);
        const bytes = job.bytes as EncodedBytes | undefined;
        if (bytes === undefined) continue;
        await this.#write(bytes);
        this.#jobs.shift();
        this.#size = bytes.offset + bytes.bytes.length;
        if (job.batch !== "eos") this.#end = this.#size;
        this.#encoder.recycle(bytes);
        this.#noteState();
        if (bytes.bytes.length > 0) this.#onWritten(this.#size);
        job.resolve(job.outcomes);
      } catch (error) {
        await this.#fail(job, error);
      }
    }
    this.#draining = undefined;
  }

  async #write({ offset, bytes }: EncodedBytes): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
  }

  /** One look before each write, without a trip to the thread pool: it costs less than the copy of one small message. */
  #changedByOthers(): boolean {
    const { nlink, size } = fstatSync(this.#handle.fd);
    if (nlink === 0) {
      this.#isGone = true;
      throw fileGone(this.path, "removed");
    }
    return size !== this.#size;
  }

  /** Goes on from the end of the last whole message, wherever that is now; jobs that wait are encoded for it. */
  async #reload(nowMs: number): Promise<void> {
    this.#mustReload = true;
    const { size } = await this.#handle.stat();
    const from = size - this.#noted.offset <= NOTE_STATE_EACH_BYTES ? this.#noted : undefined;
    const cut = await cutTail(this.path, this.#handle, from, this.#publish, { nowMs, signal: NEVER });
    if (cut === undefined || cut.header.createdAt !== this.header.createdAt || cut.header.beaconInterval !== this.header.beaconInterval) {
      this.#isGone = true;
      throw fileGone(this.path, "replaced");
    }
    const { state } = cut;
    this.#noted = state;
    this.#size = state.offset;
    this.#end = state.offset;
    this.#encoder = new SsEncoder(state);
    this.#catalog.renew(this.#encoder, state.streams);
    this.#mustReload = false;
    this.#onWritten(this.#size);
    for (const job of this.#jobs) {
      if (this.#mustReload) job.bytes = undefined;
      else this.#encode(job);
    }
  }

  /** Tells what became of a batch whose write failed, by what is in the file. Those behind it fail as well: order is kept. */
  async #fail(failed: Job, error: unknown): Promise<void> {
    const jobs = this.#jobs.splice(0);
    let isRead = false;
    try {
      if (!this.#isGone) await this.#reload(failed.options.nowMs);
      isRead = !this.#isGone;
    } catch {
      // The next batch tries again, and fails with its own error if that fails, too.
      this.#mustReload = true;
    }
    const isUnknown = failed.bytes !== undefined && !isRead && !this.#isGone;
    for (const job of jobs) {
      const lost: SendOutcome = { stored: job === failed && isUnknown ? "unknown" : false, error };
      const messages = job.batch === "eos" ? [undefined] : job.batch;
      job.resolve(messages.map((_, at) => (job === failed && isRead && this.#holds(job, at) ? (job.outcomes[at] ?? lost) : lost)));
    }
  }

  /** Whether a message of a job that failed is in the file all the same: a write may have come so far. */
  #holds({ batch, outcomes }: Job, at: number): boolean {
    const outcome = outcomes[at];
    const message = batch === "eos" ? undefined : batch[at];
    if (!(outcome instanceof Stored) || message === undefined) return false;
    return outcome.place <= this.#catalog.state(message.streamKey, message.shardId).sequence;
  }

  #noteState(): void {
    const isIdle = this.#jobs.length === 0 && !this.#mustReload;
    if (isIdle && this.#size - this.#noted.offset > NOTE_STATE_EACH_BYTES) this.#noted = this.#encoder.state();
  }
}
