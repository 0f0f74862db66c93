/**
 * Notices what other processes do to a file. A directory watcher tells mostly and soon; because it misses events, and is not to be had
 * on every file system, the file is looked at as well, at intervals that double from 10 ms while nothing happens.
 */
import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "@seaway/core/driver";

const FIRST_INTERVAL_MS = 10;

/** What a look at the path shows. */
export interface PathFacts {
  readonly size: number;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
}

/** Undefined: nothing is there. */
export async function lookAt(path: string): Promise<PathFacts | undefined> {
  try {
    const { size, dev, ino, mtimeNs } = await stat(path, { bigint: true });
    return { size: Number(size), dev, ino, mtimeNs };
  } catch {
    // Whatever hinders looking hinders opening, and is told there.
    return undefined;
  }
}

export class FileWatch {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #maxIntervalMs: number;
  readonly #onChange: (size: number | undefined) => void;
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #intervalMs = FIRST_INTERVAL_MS;
  #isLooking = false;
  #lookAgain = false;
  #isClosed = false;
  /** Of the last look; nothing before the first. */
  #seen: { readonly facts: PathFacts | undefined } | undefined;

  /** `onChange` gets the size if it is the same file as at the look before. */
  constructor(path: string, clock: Clock, maxIntervalMs: number, onChange: (size: number | undefined) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#maxIntervalMs = maxIntervalMs;
    this.#onChange = onChange;
    this.#watchDirectory();
    void this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#timer?.cancel();
  }

  #watchDirectory(): void {
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) void this.#look();
      });
      // No watcher is worse than a deaf one only by what looking at intervals makes up for.
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  async #look(): Promise<void> {
    if (this.#isLooking) {
      this.#lookAgain = true;
      return;
    }
    this.#isLooking = true;
    this.#timer?.cancel();
    const facts = await lookAt(this.#path);
    this.#isLooking = false;
    if (this.#isClosed) return;
    const before = this.#seen?.facts;
    const isSameFile = facts !== undefined && facts.ino === before?.ino && facts.dev === before.dev;
    const isUnchanged = isSameFile ? facts.size === before?.size && facts.mtimeNs === before.mtimeNs : facts === before;
    const isNews = this.#seen === undefined || !isUnchanged;
    this.#seen = { facts };
    this.#intervalMs = isNews ? FIRST_INTERVAL_MS : Math.min(this.#intervalMs * 2, this.#maxIntervalMs);
    const again = this.#lookAgain;
    this.#lookAgain = false;
    if (isNews) this.#onChange(isSameFile ? facts.size : undefined);
    if (again) void this.#look();
    else this.#timer = this.#clock.setTimer(() => void this.#look(), this.#intervalMs, { background: true });
  }
}
