/** Which streams the next beacon names: all in turn, when there are more than a beacon holds. */

import { compareStreamIds } from "./stream-id.ts";
import type { StreamState } from "./stream-state.ts";

export class MarkerRotation {
  readonly #capacity: number;
  /** Streams seen, sorted by (key bytes, shard). */
  readonly #streams: StreamState[] = [];
  /** Markers written so far: the next beacon starts at this number modulo the streams. */
  #counter: number;

  constructor(capacity: number, counter: number) {
    this.#capacity = capacity;
    this.#counter = counter;
  }

  get counter(): number {
    return this.#counter;
  }

  /** Puts a stream into its place. Called once per stream, with its first message. */
  add(state: StreamState): void {
    let low = 0;
    let high = this.#streams.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#streams[middle] as StreamState;
      if (compareStreamIds(other.id, state.id) < 0) low = middle + 1;
      else high = middle;
    }
    this.#streams.splice(low, 0, state);
  }

  /** The markers of one beacon; moves on by as many. */
  next(): StreamState[] {
    const streams = this.#streams;
    const taken = Math.min(streams.length, this.#capacity);
    const markers: StreamState[] = [];
    for (let i = 0; i < taken; i++) markers.push(streams[(this.#counter + i) % streams.length] as StreamState);
    this.#counter += taken;
    return markers;
  }
}
