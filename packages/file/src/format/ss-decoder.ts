/**
 * Turns the bytes of a `.ss` file into messages: chunks of any size go in, items are pulled out one by one or in batches.
 *
 * Ways through the file (`#way`), with one place of transition each:
 * - `frames`: at the first byte of a message.
 * - `resync`: lost; everything up to the next beacon is passed over.
 * - `remainder`: a beacon was read whose `remaining` bytes belong to a message begun before; they are passed over.
 *
 * Above 250 lines because the ways share position and trust; what stands alone has files of its own.
 */

import { type Beacon, decodeBeacon, isBeacon } from "./beacon.ts";
import { readU32 } from "./big-endian.ts";
import { ChunkWindow } from "./chunk-window.ts";
import { type AppliedHeaders, DecodedMessage, type MessageType } from "./decoded-message.ts";
import type { SsItem } from "./decoder-item.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, type SsDecoderOptions } from "./decoder-options.ts";
import { isEosPayload } from "./end-of-stream.ts";
import { assertBeaconInterval, FILE_HEADER_BYTES } from "./file-header.ts";
import { isHeaderPayload } from "./header-frame.ts";
import { endsFrame, FRAME_HEAD_BYTES, FRAME_TAIL_BYTES, FrameSource, isPayloadRightIn, MAX_PAYLOAD_BYTES } from "./message-frame.ts";
import { ReadyItems } from "./ready-items.ts";
import { collectFrame, type SplitFrame } from "./split-frame.ts";
import type { StreamId } from "./stream-id.ts";
import { StreamIdTable } from "./stream-id-table.ts";
import { WaitingHeaders } from "./waiting-headers.ts";

type Way = "frames" | "resync" | "remainder";

export class SsDecoder {
  readonly beaconInterval: number;
  readonly #maxPayloadBytes: number;
  readonly #yieldsBeacons: boolean;
  readonly #isRaw: boolean;
  readonly #Message: MessageType;
  readonly #ids: StreamIdTable = new StreamIdTable();
  readonly #ready = new ReadyItems();
  #window = new ChunkWindow(FILE_HEADER_BYTES);
  #way: Way = "frames";
  /** File offset of the next beacon, at or after the position. */
  #nextBeacon = 0;
  /** Bytes from the position on that an incomplete frame needs before it is worth looking at again. */
  #needBytes = 0;
  /** Bytes of a message still to be passed over (`remainder`). */
  #remainder = 0;
  /** Where what could not be made out began, and why (`resync`, and `remainder` after it). */
  #lost: { readonly startOffset: number; readonly reason: string } | undefined;
  /** Whether the message before the position was whole and right: then the position is believed against a beacon. */
  #isTrusted = true;
  readonly #waiting = new WaitingHeaders();
  #wholeEnd = FILE_HEADER_BYTES;
  /** The beacon decoding started at, until a message boundary is reached. */
  #startedAtBeacon: number | undefined;
  #isFinal = false;

  /** A decoder for a file with this interval, placed behind the file header. */
  constructor(beaconInterval: number, options: SsDecoderOptions = {}) {
    assertBeaconInterval(beaconInterval);
    this.beaconInterval = beaconInterval;
    this.#maxPayloadBytes = Math.min(options.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES);
    this.#yieldsBeacons = options.beacons ?? false;
    this.#isRaw = options.raw ?? false;
    this.#Message = options.messageType ?? DecodedMessage;
    this.reset(FILE_HEADER_BYTES);
  }

  /** File offset the next pushed chunk must begin at. */
  get pushOffset(): number {
    return this.#window.pushedEnd;
  }

  /**
   * File offset after the last whole message pulled, and after the beacon behind it if that was read too.
   * Lies before a header frame whose message has not come. Decoding can start again there.
   */
  get wholeEnd(): number {
    return this.#wholeEnd;
  }

  /** Where undecodable bytes began, while the beacon that ends them has not come; undefined when in step. */
  get lostSince(): number | undefined {
    return this.#lost?.startOffset;
  }

  /** Starts again at a message boundary; everything pushed and not pulled is dropped. */
  reset(offset: number): void {
    this.#restart(offset);
    this.#way = "frames";
    this.#wholeEnd = offset;
    this.#startedAtBeacon = undefined;
  }

  /** Starts at a beacon: its `remaining` bytes, which end a message begun before, are passed over. Below the first beacon: after the file header. */
  startAtBeacon(offset: number): void {
    const isBehindFirst = offset >= this.beaconInterval && offset > FILE_HEADER_BYTES;
    this.reset(isBehindFirst ? offset : FILE_HEADER_BYTES);
    if (!isBehindFirst) return;
    this.#way = "resync";
    this.#startedAtBeacon = offset;
  }

  /**
   * Drops the bytes of an incomplete message and gives the file offset to read from again.
   * A follower calls it when `next` gave nothing, before it waits: what it has may be cut off and written anew meanwhile.
   */
  rewind(): number {
    if (this.#startedAtBeacon !== undefined) this.startAtBeacon(this.#startedAtBeacon);
    else this.reset(this.#wholeEnd);
    return this.#window.offset;
  }

  /** Takes the next bytes of the file. They must not be changed afterwards: payloads are views of them. */
  push(chunk: Uint8Array, offset: number = this.pushOffset): void {
    if (offset !== this.pushOffset) throw new RangeError(`the chunk is at file offset ${offset}, expected at ${this.pushOffset}`);
    this.#isFinal = false;
    this.#window.push(chunk);
  }

  /**
   * Says that nothing follows what was pushed: doubts are settled without waiting, and what is lost is reported up to the end.
   * An incomplete message at the end is no problem but a torn tail: from `wholeEnd` on. To go on later, {@link rewind} first.
   */
  finish(): void {
    this.#isFinal = true;
  }

  /** Pulls up to `maxItems` into `items`, from its end on; tells how many. 0: push more first. */
  pull(items: SsItem[], maxItems: number): number {
    for (let count = 0; count < maxItems; count++) {
      const item = this.next();
      if (item === undefined) return count;
      items.push(item);
    }
    return maxItems;
  }

  /** The next item; undefined if more must be pushed first. */
  next(): SsItem | undefined {
    if (!this.#ready.isEmpty) return this.#ready.shift();
    for (;;) {
      const item = this.#way === "frames" ? this.#nextInPlace() : undefined;
      if (item !== undefined) return item;
      const goesOn = !this.#ready.isEmpty || this.#step();
      if (!this.#ready.isEmpty) return this.#ready.shift();
      if (!goesOn) return undefined;
    }
  }

  /** The fast path: frames that lie whole before the next beacon and the chunk's end. */
  #nextInPlace(): SsItem | undefined {
    const window = this.#window;
    const source = window.source;
    const bytes = source.bytes;
    const limit = Math.min(window.end, this.#nextBeacon - source.offset);
    while (window.position < limit) {
      const start = window.position;
      const body = start + (bytes[start] as number) + 9;
      const payloadAt = body + FRAME_HEAD_BYTES;
      if (payloadAt > limit) return undefined;
      const payloadBytes = readU32(bytes, body + 16);
      const end = payloadAt + payloadBytes + FRAME_TAIL_BYTES;
      if (end > limit || payloadBytes > this.#maxPayloadBytes) return undefined;
      const stream = this.#ids.findIn(source.view, bytes, start);
      if (stream === undefined) return undefined;
      const item = this.#accept(stream, source, body, payloadBytes, end, false);
      if (item !== undefined) return item;
      if (this.#way !== "frames" || !this.#ready.isEmpty) return undefined;
    }
    return undefined;
  }

  /** The slow path: one move along the way. False: more must be pushed first. */
  #step(): boolean {
    const window = this.#window;
    if (this.#way === "resync") {
      if (!window.discardTo(this.#nextBeacon)) return this.#starve();
      return this.#readBeacon();
    }
    if (this.#way === "remainder") {
      if (this.#remainder === 0) return this.#landed();
      if (window.offset === this.#nextBeacon) return this.#readBeacon();
      const target = Math.min(window.offset + this.#remainder, this.#nextBeacon);
      const before = window.offset;
      const reached = window.discardTo(target);
      this.#remainder -= window.offset - before;
      return reached || this.#starve();
    }
    if (window.offset === this.#nextBeacon) return this.#readBeacon();
    if (!window.fill(1)) return this.#starve();
    return this.#readSplitFrame();
  }

  #readSplitFrame(): boolean {
    const window = this.#window;
    // What an earlier look found missing is waited for: not every small chunk looks at a huge message anew.
    if (!window.fill(this.#needBytes) && !this.#isFinal) return this.#starve();
    let frame = this.#collect(false);
    while (frame.kind === "short" && window.fill(frame.needBytes)) frame = this.#collect(false);
    if (frame.kind === "short" && this.#isFinal) frame = this.#collect(true);
    if (frame.kind === "short") {
      this.#needBytes = frame.needBytes;
      return this.#starve();
    }
    this.#needBytes = 0;
    if (frame.kind === "corrupt") return this.#lose(frame.reason);

    const { source } = window;
    const startOffset = window.offset;
    const endOffset = source.offset + frame.end;
    const isSplit = frame.bytes !== source.bytes;
    const frameSource = isSplit ? new FrameSource(frame.bytes, startOffset, endOffset) : source;
    const body = frame.at + frame.stream.prefix.length;
    const isRight = () => isPayloadRightIn(frameSource, body, frame.payloadBytes) && endsFrame(frame.bytes, body, frame.payloadBytes);
    if (frame.doubtful.length > 0 && !isRight()) {
      return this.#lose("a message and a beacon in it contradict each other, and its checksum is wrong");
    }
    for (const { at, beacon } of frame.beacons) this.#yieldBeacon(source.offset + at, beacon);
    for (const { at, beacon } of frame.doubtful) this.#ready.pushDoubt(source.offset + at, beacon);
    this.#nextBeacon += frame.beacons.length * this.beaconInterval;
    const item = this.#accept(frame.stream, frameSource, body, frame.payloadBytes, frame.end, frame.beacons.length > 0);
    if (item !== undefined) this.#ready.push(item);
    return true;
  }

  #collect(isFinal: boolean): SplitFrame {
    const { source, position, end } = this.#window;
    return collectFrame(
      {
        bytes: source.bytes,
        start: position,
        end,
        beaconAt: this.#nextBeacon - source.offset,
        beaconInterval: this.beaconInterval,
        maxPayloadBytes: this.#maxPayloadBytes,
        isFinal,
      },
      this.#ids,
    );
  }

  /** Judges a frame of which all bytes are there, and moves behind it (index `end` of the window). */
  #accept(
    stream: StreamId,
    source: FrameSource,
    body: number,
    payloadBytes: number,
    end: number,
    isLengthCertain: boolean,
  ): SsItem | undefined {
    const window = this.#window;
    if (!isPayloadRightIn(source, body, payloadBytes)) {
      // Without its 0D the frame does not even end where its length says. With it, only the payload is wrong.
      if (!isLengthCertain && !endsFrame(source.bytes, body, payloadBytes)) {
        this.#lose("a message's checksum and its end are both wrong");
        return undefined;
      }
      this.#isTrusted = false;
      const message = new this.#Message(stream, source, body, undefined);
      window.position = end;
      this.#dropWaiting("the message after it is damaged");
      this.#wholeEnd = window.offset;
      const { startOffset, endOffset } = message;
      return this.#inOrder({
        kind: "problem",
        code: "bad-checksum",
        startOffset,
        endOffset,
        reason: `the payload of message ${message.sequence} of ${stream.key}, shard ${stream.shard}, does not match its checksum`,
        message,
      });
    }
    this.#isTrusted = true;
    window.position = end;
    if (stream.isInternal && !this.#isRaw && isHeaderPayload(source.bytes, body + FRAME_HEAD_BYTES, payloadBytes)) {
      this.#keepWaiting(new DecodedMessage(stream, source, body, undefined));
      return undefined;
    }
    const message = new this.#Message(stream, source, body, this.#waiting.isEmpty ? undefined : this.#headersFor(stream, source, body));
    this.#wholeEnd = window.offset;
    if (stream.isInternal && isEosPayload(source.bytes, body + FRAME_HEAD_BYTES, payloadBytes)) {
      const { startOffset, endOffset, timestamp, checksum } = message;
      return this.#inOrder({ kind: "eos", startOffset, endOffset, timestamp, checksum });
    }
    return this.#ready.isEmpty ? message : this.#inOrder(message);
  }

  /** Reads the beacon at the position and decides, by the way we came, what it means. */
  #readBeacon(): boolean {
    const window = this.#window;
    const startOffset = window.offset;
    let read = decodeBeacon(window.source.bytes, window.position, window.end, this.beaconInterval, this.#ids);
    while (!isBeacon(read) && read.fault === "short") {
      if (!window.fill(read.needBytes)) return this.#starve();
      read = decodeBeacon(window.source.bytes, window.position, window.end, this.beaconInterval, this.#ids);
    }
    if (!isBeacon(read)) {
      this.#nextBeacon += this.beaconInterval;
      return this.#lose("a beacon cannot be read");
    }
    this.#nextBeacon += this.beaconInterval;
    const isBelieved = this.#way === "frames" && (this.#isTrusted || (read.isSound && read.remaining === 0));
    // While a remainder is passed over the count of what is left is good without the beacon; else it is no place to start.
    if (!isBelieved && !read.isSound && this.#way !== "remainder") return this.#lose("a beacon cannot be relied on");
    window.position += read.byteLength;
    if (isBelieved) {
      if (!read.isSound || read.remaining !== 0) this.#ready.pushDoubt(startOffset, read);
      this.#yieldBeacon(startOffset, read);
      if (this.#waiting.isEmpty) this.#wholeEnd = window.offset;
      return true;
    }
    if (!read.isSound) return true;
    this.#yieldBeacon(startOffset, read);
    if (this.#way === "frames") this.#lost = { startOffset, reason: "a beacon says that the damaged message before it was longer" };
    this.#way = "remainder";
    this.#remainder = read.remaining;
    return true;
  }

  /** Out of step: pass over everything up to the next beacon. */
  #lose(reason: string): boolean {
    this.#dropWaiting("what follows it cannot be read");
    this.#lost ??= { startOffset: this.#window.offset, reason };
    this.#isTrusted = false;
    this.#way = "resync";
    return true;
  }

  /** Back at the first byte of a message. */
  #landed(): boolean {
    const endOffset = this.#window.offset;
    this.#way = "frames";
    this.#startedAtBeacon = undefined;
    this.#wholeEnd = endOffset;
    this.#reportLost(endOffset);
    return true;
  }

  /** Nothing more to be had from what was pushed. */
  #starve(): false {
    if (this.#isFinal) {
      this.#dropWaiting("the file ends");
      this.#reportLost(this.#window.pushedEnd);
    }
    return false;
  }

  #reportLost(endOffset: number): void {
    const lost = this.#lost;
    if (lost === undefined) return;
    this.#lost = undefined;
    if (endOffset > lost.startOffset) this.#ready.pushProblem("skipped", lost.startOffset, endOffset, lost.reason);
  }

  #keepWaiting(message: DecodedMessage): void {
    this.#dropWaiting("another header frame follows it");
    if (this.#waiting.keep(message)) return;
    this.#wholeEnd = message.endOffset;
    this.#ready.pushProblem("bad-headers", message.startOffset, message.endOffset, "the JSON of a header frame cannot be read");
  }

  #headersFor(stream: StreamId, source: FrameSource, body: number): AppliedHeaders | undefined {
    const headers = this.#waiting.takeFor(new DecodedMessage(stream, source, body, undefined));
    this.#dropWaiting("the message after it is another");
    return headers;
  }

  #dropWaiting(why: string): void {
    const frame = this.#waiting.drop();
    if (frame === undefined) return;
    this.#ready.pushProblem("orphan-headers", frame.startOffset, frame.endOffset, `a header frame belongs to no message: ${why}`);
  }

  #yieldBeacon(startOffset: number, beacon: Beacon): void {
    if (this.#yieldsBeacons) this.#ready.pushBeacon(startOffset, beacon);
  }

  /** Behind what is ready already. */
  #inOrder(item: SsItem): SsItem | undefined {
    if (this.#ready.isEmpty) return item;
    this.#ready.push(item);
    return undefined;
  }

  #restart(offset: number): void {
    this.#window = new ChunkWindow(offset);
    this.#nextBeacon = Math.ceil(offset / this.beaconInterval) * this.beaconInterval;
    this.#ready.clear();
    this.#needBytes = 0;
    this.#remainder = 0;
    this.#lost = undefined;
    this.#isTrusted = true;
    this.#waiting.drop();
    this.#isFinal = false;
  }
}
