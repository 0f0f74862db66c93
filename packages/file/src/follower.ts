/**
 * Reads a file that may be written meanwhile, from a place on and for ever: gives its messages in order, and says when there is
 * nothing more now.
 *
 * - At the end of the file what is there of an unfinished message is let go of, and read again when the file has grown: whoever
 *   writes next may cut it off first. So is an end-of-stream, which goes when the file is appended to again.
 * - Damage is believed only if a second look, at bytes read in one go, shows the same: the first may have joined what was there before
 *   such a cut with what came after it.
 * - While one chunk is looked through the next is being read.
 *
 * Above 250 lines because position, chunks and doubt move together.
 */
import type { StreamerEvent } from "@seaway/core/driver";
import { fileGone } from "./errors.ts";
import type { FileReader } from "./file-reader.ts";
import type { SsEos, SsItem, SsProblem } from "./format/decoder-item.ts";
import { SsDecoder } from "./format/ss-decoder.ts";
import { FileMessage } from "./message.ts";

/** A place where decoding can start: at a message, or at a beacon. */
export interface ReadingPlace {
  readonly offset: number;
  readonly isBeacon: boolean;
}

/** What the decoder could not make a message of, after a second look. */
export interface Damage {
  readonly problem: SsProblem;
  /** The first bytes of it. */
  readonly raw: Uint8Array;
}

export interface FollowerOptions {
  /** Bytes that a writer of this process knows to be in the file, 0 without one; others may have written more. */
  knownSize(): number;
  publish(event: StreamerEvent): void;
  /** Read no further than to this offset; undefined: for ever. */
  readonly endAt: number | undefined;
}

interface Ahead {
  readonly offset: number;
  readonly chunk: Promise<Uint8Array>;
}

const CHUNK_BYTES = 1024 * 1024;
const MAX_RAW_BYTES = 64 * 1024;
const NONE = -1;
const NO_BYTES = new Uint8Array(0);

export class Follower {
  readonly #reader: FileReader;
  readonly #decoder: SsDecoder;
  readonly #options: FollowerOptions;
  /** Where it was sent. */
  #place: ReadingPlace;
  /** Counts the times it was sent elsewhere: what was being read for the place before is dropped. */
  #moves = 0;
  /** The size of the file when all of it had been read; `NONE` while there is more. */
  #readTo = NONE;
  /** The size of the file at the last look. */
  #sizeSeen = 0;
  #ahead: Ahead | undefined;
  /** Where the last chunk began. */
  #chunkFrom = 0;
  /** What was at the end and put together from several reads, when that was noticed last. */
  #joined: { readonly offset: number; readonly readTo: number } | undefined;
  #eos: SsEos | undefined;
  /** Whether `next` has to look at more than the message: an end-of-stream or a problem came before it. */
  #isWatchful = false;
  /** Damage that waits for its second look, and the first bytes of what had its look last. */
  #doubt: SsProblem | undefined;
  #raw: Uint8Array = NO_BYTES;
  /** Start of the first damage since the last good message. */
  #damagedFrom = NONE;
  #sawGood = false;
  /** Damage that ends no later than here had its second look; what starts before `#toldTo` was told. */
  #checkedTo = NONE;
  #toldTo = NONE;
  #unreadableFrom = NONE;

  constructor(reader: FileReader, place: ReadingPlace, options: FollowerOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#decoder = new SsDecoder(reader.header.beaconInterval, { messageType: FileMessage });
    this.#place = place;
    this.#start(place);
  }

  /** Goes on from another place. */
  moveTo(place: ReadingPlace): void {
    this.#place = place;
    this.#moves += 1;
    this.#checkedTo = NONE;
    this.#toldTo = NONE;
    this.#unreadableFrom = NONE;
    this.#start(place);
  }

  /** The next message or damage; undefined: `fill` first. */
  next(): FileMessage | Damage | undefined {
    if (this.#doubt !== undefined) return undefined;
    const item = this.#decoder.next();
    if (item instanceof FileMessage) {
      if (this.#isWatchful) this.#passGood();
      return item;
    }
    return item === undefined ? undefined : this.#judge(item);
  }

  /** The end that was set is reached. */
  get isEnded(): boolean {
    const { endAt } = this.#options;
    return endAt !== undefined && this.#decoder.pushOffset >= endAt && this.#doubt === undefined;
  }

  /**
   * Gets more bytes after `next` gave nothing. False: there are none now. `hasNews`: the file was written to, or may have been.
   * Rejects when the file is no longer the one that was opened.
   */
  async fill(hasNews: boolean): Promise<boolean> {
    const moves = this.#moves;
    if (this.#doubt !== undefined) {
      await this.#lookAgain(this.#doubt);
    } else if (this.#readTo !== NONE) {
      const readTo = this.#readTo;
      const { lostSince } = this.#decoder;
      const isJoined = this.#letGo(readTo);
      const size = await this.#size(readTo);
      if (moves !== this.#moves) return true;
      if (size === readTo && !hasNews && !isJoined) {
        this.#tellUnreadable(lostSince);
        return false;
      }
      this.#readTo = NONE;
    }
    const offset = this.#decoder.pushOffset;
    const chunk = await this.#chunkAt(offset);
    if (moves !== this.#moves) return true;
    if (chunk.length === 0) {
      this.#readTo = offset;
      return false;
    }
    this.#decoder.push(chunk, offset);
    this.#chunkFrom = offset;
    const end = this.#end(Math.max(this.#options.knownSize(), this.#sizeSeen));
    if (offset + chunk.length >= end) this.#readTo = offset + chunk.length;
    else this.#readAhead(offset + chunk.length, end);
    return true;
  }

  #start({ offset, isBeacon }: ReadingPlace): void {
    if (isBeacon) this.#decoder.startAtBeacon(offset);
    else this.#decoder.reset(offset);
    this.#readTo = NONE;
    this.#eos = undefined;
    this.#ahead = undefined;
    this.#doubt = undefined;
    this.#damagedFrom = NONE;
    this.#sawGood = false;
    this.#isWatchful = true;
  }

  #end(size: number): number {
    return Math.min(size, this.#options.endAt ?? size);
  }

  async #chunkAt(offset: number): Promise<Uint8Array> {
    const ahead = this.#ahead;
    if (ahead?.offset === offset) {
      this.#ahead = undefined;
      return ahead.chunk;
    }
    const known = Math.max(this.#options.knownSize(), this.#sizeSeen);
    if (known <= offset) {
      // Nothing is known to be there: a look costs less than a buffer that stays empty.
      const found = await this.#reader.sizeNow(offset);
      if ("size" in found) this.#sizeSeen = found.size;
    }
    const size = this.#end(Math.max(this.#options.knownSize(), this.#sizeSeen));
    return size <= offset ? NO_BYTES : this.#reader.read(offset, Math.min(CHUNK_BYTES, size - offset));
  }

  #readAhead(offset: number, end: number): void {
    const chunk = this.#reader.read(offset, Math.min(CHUNK_BYTES, end - offset));
    // Whoever takes it sees its failure; if nobody does, it does not matter.
    chunk.catch(() => undefined);
    this.#ahead = { offset, chunk };
  }

  /**
   * Forgets what may be written anew: an unfinished message, an end-of-stream. Tells whether it was put together from several reads and
   * is to be looked at once more in one go.
   */
  #letGo(readTo: number): boolean {
    if (this.#eos === undefined) this.#decoder.rewind();
    else this.#decoder.reset(this.#eos.startOffset);
    this.#eos = undefined;
    this.#ahead = undefined;
    const offset = this.#decoder.pushOffset;
    const isJoined = this.#chunkFrom > offset && (this.#joined?.offset !== offset || this.#joined.readTo !== readTo);
    if (isJoined) this.#joined = { offset, readTo };
    return isJoined;
  }

  #tellUnreadable(lostSince: number | undefined): void {
    if (lostSince === undefined || lostSince === this.#unreadableFrom) return;
    this.#unreadableFrom = lostSince;
    const message = `what is in ${this.#reader.path} from offset ${lostSince} on cannot be made out; reading goes on at the next beacon, or when a producer has repaired the file`;
    this.#options.publish({ code: "tail-unreadable", level: "warn", message });
  }

  /** Bytes in the file, after all up to `readTo` was read. */
  async #size(readTo: number): Promise<number> {
    const known = this.#options.knownSize();
    if (known > readTo) return known;
    const found = await this.#reader.sizeNow(readTo);
    if ("gone" in found) throw fileGone(this.#reader.path, found.gone);
    const { size } = found;
    this.#sizeSeen = size;
    if (size >= this.#decoder.pushOffset) return size;
    if (!(await this.#reader.isSame())) throw fileGone(this.#reader.path, "replaced");
    const { end } = await this.#reader.survey();
    const before = this.#decoder.pushOffset;
    if (end < before) {
      this.#decoder.reset(end);
      const message = `${this.#reader.path} became shorter than what was read of it (${before} bytes): reading goes on at ${end}, behind its last whole message`;
      this.#options.publish({ code: "file-shortened", level: "warn", message, count: before - end });
    }
    return size;
  }

  #passGood(): void {
    this.#isWatchful = false;
    this.#sawGood = true;
    this.#damagedFrom = NONE;
    if (this.#eos === undefined) return;
    const message = `${this.#reader.path} has an end-of-stream in its middle, at offset ${this.#eos.startOffset}: reading goes on behind it`;
    this.#eos = undefined;
    this.#options.publish({ code: "end-of-stream-passed", level: "info", message });
  }

  #judge(item: SsItem): FileMessage | Damage | undefined {
    this.#isWatchful = true;
    if (item.kind === "eos") {
      this.#eos = item;
      return this.next();
    }
    if (item.kind !== "problem" || item.startOffset < this.#toldTo) return this.next();
    if (item.code === "bad-beacon") {
      this.#tell(item, "info");
      return this.next();
    }
    if (this.#damagedFrom === NONE) this.#damagedFrom = item.startOffset;
    if (item.endOffset > this.#checkedTo) {
      this.#doubt = item;
      return undefined;
    }
    this.#toldTo = item.endOffset;
    if (item.code === "skipped") this.#tell(item, "warn");
    if (item.code === "bad-checksum" || item.code === "skipped") return { problem: item, raw: this.#raw };
    this.#tell(item, "warn");
    return this.next();
  }

  #tell({ startOffset, endOffset, reason, code }: SsProblem, level: "info" | "warn"): void {
    const message = `${this.#reader.path}, ${endOffset - startOffset} bytes from offset ${startOffset}: ${reason}`;
    this.#options.publish({ code: code === "skipped" ? "bytes-skipped" : code, level, message, count: endOffset - startOffset });
  }

  /** Sends the decoder back to before the damage, for bytes read anew. */
  async #lookAgain({ startOffset, endOffset }: SsProblem): Promise<void> {
    const moves = this.#moves;
    if (!(await this.#reader.isSame())) throw fileGone(this.#reader.path, "replaced");
    const raw = await this.#reader.read(startOffset, Math.min(MAX_RAW_BYTES, endOffset - startOffset));
    if (moves !== this.#moves) return;
    const sawGood = this.#sawGood;
    const damagedFrom = this.#damagedFrom;
    this.#start(sawGood ? { offset: damagedFrom, isBeacon: false } : this.#place);
    this.#sawGood = sawGood;
    this.#damagedFrom = damagedFrom;
    this.#checkedTo = endOffset;
    this.#raw = raw;
  }
}
