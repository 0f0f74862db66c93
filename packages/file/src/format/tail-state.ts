/** Follows decoded items to the end of a file and keeps what an encoder needs to go on behind the last message. */

import type { U64 } from "./big-endian.ts";
import type { SsBeacon, SsEos, SsItem, SsProblem } from "./decoder-item.ts";
import type { EncoderState } from "./ss-encoder.ts";
import { INTERNAL_KEY } from "./stream-id.ts";
import { type StreamState, StreamStates } from "./stream-state.ts";

const MAX_PROBLEMS = 100;

export class TailState {
  readonly problems: SsProblem[] = [];
  /** File offset after the last message, and after the beacon right behind it. */
  end: number;
  /** The end-of-stream message if no message came after it. */
  eos: SsEos | undefined;
  /** Whether a message was met, so that `end` and the state are sure. */
  hasMessages = false;
  /** Whether bytes up to the end of the file could not be made out. */
  isTailCorrupt = false;
  readonly #beaconInterval: number;
  readonly #streams = new StreamStates();
  #markersWritten: number;
  /** Beacons behind `end`: they count once a message comes behind them. */
  #beaconsBehind: SsBeacon[] = [];

  constructor(from: EncoderState) {
    this.end = from.offset;
    this.#beaconInterval = from.beaconInterval;
    this.#markersWritten = from.markersWritten;
    for (const snapshot of from.streams) this.#streams.restore(snapshot);
  }

  /** `wholeEnd`: the decoder's, after it yielded the item. */
  take(item: SsItem, wholeEnd: number): void {
    if (item.kind === "beacon") {
      this.#beaconsBehind.push(item);
      if (item.startOffset === this.end) this.#moveEnd(item.endOffset);
      else if (item.startOffset === this.eos?.endOffset) this.eos = { ...this.eos, endOffset: item.endOffset };
    } else if (item.kind === "eos") {
      this.#keepEos();
      this.eos = item;
    } else if (item.kind === "message") {
      this.#keepEos();
      this.#count(this.#streams.get(item.streamKey, item.shard), item.sequence, item.timestamp, item.checksum, item.endOffset);
    } else {
      this.#takeProblem(item, wholeEnd);
    }
  }

  state(): EncoderState {
    return {
      offset: this.end,
      beaconInterval: this.#beaconInterval,
      streams: this.#streams.snapshots(),
      markersWritten: this.#markersWritten,
    };
  }

  #takeProblem(problem: SsProblem, wholeEnd: number): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
    const { message } = problem;
    if (problem.code === "bad-checksum" && message !== undefined) {
      // Damaged, but its place is taken: its sequence must not be given out again.
      this.#keepEos();
      this.#count(
        this.#streams.get(message.streamKey, message.shard),
        message.sequence,
        message.timestamp,
        message.checksum,
        message.endOffset,
      );
    } else if (problem.code === "skipped") {
      if (problem.endOffset > wholeEnd) {
        this.isTailCorrupt = true;
      } else {
        this.#keepEos();
        this.#moveEnd(problem.endOffset);
      }
    }
  }

  /** An end-of-stream message with something behind it is a message like any other. */
  #keepEos(): void {
    if (this.eos === undefined) return;
    const { timestamp, checksum, endOffset } = this.eos;
    this.eos = undefined;
    this.#count(this.#streams.get(INTERNAL_KEY, 0), 0, timestamp, checksum, endOffset);
  }

  #count(state: StreamState, sequence: U64, timestamp: U64, checksum: number, endOffset: number): void {
    state.isSeen = true;
    state.advance(sequence, timestamp, checksum);
    this.hasMessages = true;
    this.#moveEnd(endOffset);
  }

  #moveEnd(offset: number): void {
    this.end = offset;
    while (this.#beaconsBehind[0] !== undefined && this.#beaconsBehind[0].startOffset < offset) {
      this.#markersWritten += (this.#beaconsBehind.shift() as SsBeacon).markers.length;
    }
    const next = this.#beaconsBehind[0];
    if (next?.startOffset === offset) this.#moveEnd(next.endOffset);
  }
}
