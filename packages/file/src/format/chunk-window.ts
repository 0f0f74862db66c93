/** The stretch of the file a decoder looks at: chunks are used in place, and only what straddles two of them is copied. */

import { FrameSource } from "./message-frame.ts";

const EMPTY = new Uint8Array(0);

export class ChunkWindow {
  /** Bytes in view, and their place in the file. */
  source: FrameSource;
  /** Index in `source.bytes` of what comes next. */
  position = 0;
  /** Index after the bytes that are filled. */
  end = 0;
  /** Whether `source.bytes` was allocated here and may have room after `end`. */
  #isOwn = false;
  readonly #queue: Uint8Array[] = [];
  /** File offset after the last queued chunk. */
  #pushedEnd: number;

  constructor(offset: number) {
    this.source = new FrameSource(EMPTY, offset);
    this.#pushedEnd = offset;
  }

  get offset(): number {
    return this.source.offset + this.position;
  }

  /** File offset after everything pushed. */
  get pushedEnd(): number {
    return this.#pushedEnd;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#queue.push(chunk);
    this.#pushedEnd += chunk.length;
  }

  /** Brings `needBytes` from the position on into view; false, with all there is in view, if more must be pushed first. */
  fill(needBytes: number): boolean {
    while (this.end - this.position < needBytes) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) return false;
      const have = this.end - this.position;
      if (have === 0) {
        this.source = new FrameSource(chunk, this.offset);
        this.position = 0;
        this.end = chunk.length;
        this.#isOwn = false;
        continue;
      }
      const part = Math.min(needBytes - have, chunk.length);
      this.#reserve(have, part, needBytes);
      this.source.bytes.set(chunk.subarray(0, part), this.end);
      this.end += part;
      if (part < chunk.length) this.#queue.unshift(chunk.subarray(part));
    }
    return true;
  }

  /** Moves to a file offset ahead; false if it lies beyond what was pushed: then everything is behind. */
  discardTo(offset: number): boolean {
    for (;;) {
      const skip = offset - this.offset;
      const inView = Math.min(skip, this.end - this.position);
      this.position += inView;
      if (inView === skip) return true;
      if (!this.fill(1)) return false;
    }
  }

  /** Makes room for `part` more bytes. Grows with what really arrives, never at once to what a length field claims. */
  #reserve(have: number, part: number, needBytes: number): void {
    if (this.#isOwn && this.end + part <= this.source.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(have + part, Math.min(needBytes, have * 2)));
    grown.set(this.source.bytes.subarray(this.position, this.end));
    this.source = new FrameSource(grown, this.offset);
    this.position = 0;
    this.end = have;
    this.#isOwn = true;
  }
}
