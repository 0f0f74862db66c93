/**
 * What a process has of one file, however many connections use it: its writer, and who waits for news of it. One object per resolved
 * path in `processMap("file-writer")`, from the first connection to the last.
 */
import { type Clock, processMap, type StreamerEvent } from "@seaway/core/driver";
import { FileWatch } from "./file-watch.ts";
import { FileWriter } from "./file-writer.ts";
import { type AppendOptions, openForAppend } from "./open-for-append.ts";

export class SharedFile {
  readonly path: string;
  /** Bytes that are known to be in the file, by the last write or look; 0 while nothing is known. */
  size = 0;
  /** Where each connection wants its events. */
  readonly publishers: Set<(event: StreamerEvent) => void> = new Set();
  readonly #followers = new Set<() => void>();
  #watch: FileWatch | undefined;
  #writer: FileWriter | undefined;
  #writerUsers = 0;
  /** Ends when what opens or closes the writer now is done. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** The file's one object in this process. */
  static acquire(path: string, publish: (event: StreamerEvent) => void): SharedFile {
    const files = processMap<SharedFile>("file-writer");
    let file = files.get(path);
    if (file === undefined) {
      file = new SharedFile(path);
      files.set(path, file);
    }
    file.publishers.add(publish);
    return file;
  }

  release(publish: (event: StreamerEvent) => void): void {
    this.publishers.delete(publish);
    if (this.publishers.size === 0) processMap<SharedFile>("file-writer").delete(this.path);
  }

  /** The writer, while a connection of this process has it open and its file is still there. */
  get writer(): FileWriter | undefined {
    return this.#writer?.isGone === true ? undefined : this.#writer;
  }

  /** Opens the writer, or joins those who have it open. Every call that resolved is followed by one of {@link leaveWriter}. */
  joinWriter(options: AppendOptions): Promise<FileWriter> {
    return this.#inTurn(async () => {
      if (this.#writer?.isGone === true) {
        await this.#writer.close();
        this.#writer = undefined;
        this.#writerUsers = 0;
      }
      if (this.#writer === undefined) {
        const opened = await openForAppend(this.path, options, this.publish);
        this.#writer = new FileWriter(this.path, opened, this.publish, this.onWritten);
      }
      this.#writerUsers += 1;
      return this.#writer;
    });
  }

  leaveWriter(writer: FileWriter): Promise<void> {
    return this.#inTurn(async () => {
      // Another has taken the place of one that is gone.
      if (writer !== this.#writer) return;
      this.#writerUsers -= 1;
      if (this.#writerUsers > 0) return;
      this.#writer = undefined;
      await writer.close();
    });
  }

  /** Calls `onNews` whenever something may have changed, until the returned function is called. */
  follow(onNews: () => void, clock: Clock, pollIntervalMs: number): () => void {
    this.#followers.add(onNews);
    this.#watch ??= new FileWatch(this.path, clock, pollIntervalMs, this.#onLooked);
    return () => {
      this.#followers.delete(onNews);
      if (this.#followers.size > 0) return;
      this.#watch?.close();
      this.#watch = undefined;
    };
  }

  readonly publish = (event: StreamerEvent): void => {
    for (const publish of this.publishers) publish(event);
  };

  readonly onWritten = (size: number): void => {
    this.size = size;
    this.#tellFollowers();
  };

  /** What the writer here has written is told already. */
  readonly #onLooked = (size: number | undefined): void => {
    if (size === undefined || size !== this.size || this.writer === undefined) this.#tellFollowers();
  };

  readonly #tellFollowers = (): void => {
    for (const onNews of this.#followers) onNews();
  };

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
