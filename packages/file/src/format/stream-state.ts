/** What a beacon marker says of one (key, shard): greatest sequence, greatest timestamp, running checksum. */

import type { U64 } from "./big-endian.ts";
import { CRC16_INIT, crc16Step } from "./crc16.ts";
import { compareStreamIds, createStreamId, type StreamId, streamIdText } from "./stream-id.ts";

/** A stream's state as plain values, for handing from a scan to an encoder or into a store. */
export interface StreamSnapshot {
  readonly key: string;
  readonly shard: number;
  readonly sequence: U64;
  readonly timestamp: U64;
  readonly checksum: number;
}

/** Mutable state of one stream. A writer keeps the object and passes it with each message. */
export class StreamState {
  readonly id: StreamId;
  /** Greatest sequence so far; 0 before the first message. */
  sequence: U64 = 0;
  /** Greatest timestamp so far, ms since the Unix epoch; 0 before the first message. */
  timestamp: U64 = 0;
  /** Running checksum over the messages' checksums in write order. */
  checksum: number = CRC16_INIT;
  /** Whether a message of it was written: only then do beacons name it. */
  isSeen = false;

  constructor(id: StreamId) {
    this.id = id;
  }

  /** Takes in one message. Must happen before the message's bytes are written, because a beacon inside them shows it. */
  advance(sequence: U64, timestamp: U64, checksum: number): void {
    if (sequence > this.sequence) this.sequence = sequence;
    if (timestamp > this.timestamp) this.timestamp = timestamp;
    this.checksum = crc16Step(this.checksum, checksum);
  }
}

/** The states of all streams of a file, made on first use. */
export class StreamStates {
  readonly #byId = new Map<string, StreamState>();

  /** The state of (key, shard); the same object each time. Rejects an invalid key or shard. */
  get(key: string, shard: number): StreamState {
    const text = streamIdText(key, shard);
    let state = this.#byId.get(text);
    if (state === undefined) {
      state = new StreamState(createStreamId(key, shard));
      this.#byId.set(text, state);
    }
    return state;
  }

  restore(snapshot: StreamSnapshot): StreamState {
    const state = this.get(snapshot.key, snapshot.shard);
    state.sequence = snapshot.sequence;
    state.timestamp = snapshot.timestamp;
    state.checksum = snapshot.checksum;
    state.isSeen = true;
    return state;
  }

  /** Copies of the streams seen, in marker order. */
  snapshots(): StreamSnapshot[] {
    return [...this.#byId.values()]
      .filter((state) => state.isSeen)
      .sort((a, b) => compareStreamIds(a.id, b.id))
      .map(({ id, sequence, timestamp, checksum }) => ({ key: id.key, shard: id.shard, sequence, timestamp, checksum }));
  }
}
