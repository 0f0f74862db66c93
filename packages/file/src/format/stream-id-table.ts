/** The streams a decoder has met: turns the bytes in front of a message into a StreamId without decoding text per message. */

import { decodeStreamId, type StreamId, streamIdText } from "./stream-id.ts";

const SLOTS = 1024;
/** A damaged or hostile file may name a new stream in every message: the table then starts again. */
const MAX_STREAMS = 65_536;

export class StreamIdTable {
  // Direct-mapped by a hash of a few prefix bytes; a collision only costs the way through the map.
  readonly #slots: (StreamId | undefined)[] = new Array<StreamId | undefined>(SLOTS).fill(undefined);
  readonly #known = new Map<string, StreamId>();

  /** The stream whose prefix (`u8 length, key, u64 shard`) stands whole at `bytes[at]`; undefined if it is not a valid one. */
  find(bytes: Uint8Array, at: number): StreamId | undefined {
    const keyLength = bytes[at] as number;
    const end = at + keyLength + 9;
    const slot = slotOf(keyLength, bytes[at + keyLength] as number, bytes[end - 1] as number);
    const seen = this.#slots[slot];
    if (seen !== undefined && isSame(seen.prefix, bytes, at)) return seen;
    return this.#learn(bytes, at, slot);
  }

  /** As {@link find}, for the many frames of one buffer: compares four bytes at once. */
  findIn(view: DataView, bytes: Uint8Array, at: number): StreamId | undefined {
    const keyLength = bytes[at] as number;
    const end = at + keyLength + 9;
    const slot = slotOf(keyLength, bytes[at + keyLength] as number, bytes[end - 1] as number);
    const seen = this.#slots[slot];
    if (seen !== undefined && seen.prefix.length === end - at && isSameIn(seen.words, view, at)) return seen;
    return this.#learn(bytes, at, slot);
  }

  #learn(bytes: Uint8Array, at: number, slot: number): StreamId | undefined {
    const decoded = decodeStreamId(bytes, at);
    if (decoded === undefined) return undefined;
    const text = streamIdText(decoded.key, decoded.shard);
    let id = this.#known.get(text);
    if (id === undefined) {
      if (this.#known.size >= MAX_STREAMS) this.#known.clear();
      this.#known.set(text, decoded);
      id = decoded;
    }
    this.#slots[slot] = id;
    return id;
  }
}

function slotOf(keyLength: number, lastOfKey: number, lastOfShard: number): number {
  return (keyLength * 31 + lastOfKey * 7 + lastOfShard) & (SLOTS - 1);
}

/** `words`: the prefix four bytes at a time, the last of them overlapping. */
function isSameIn(words: DataView, view: DataView, at: number): boolean {
  const last = words.byteLength - 4;
  for (let i = 0; i < last; i += 4) if (words.getUint32(i) !== view.getUint32(at + i)) return false;
  return words.getUint32(last) === view.getUint32(at + last);
}

function isSame(prefix: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const length = prefix.length;
  // From the end: shards and key endings differ first.
  for (let i = length - 1; i >= 0; i--) if (prefix[i] !== bytes[at + i]) return false;
  return true;
}
