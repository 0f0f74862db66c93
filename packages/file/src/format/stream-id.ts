/** Which stream a message belongs to: key and shard, with the bytes that stand for them in front of every message. */

import { readU32, writeU64 } from "./big-endian.ts";
import { SsFormatError } from "./format-error.ts";

/** The pseudo-stream of end-of-stream messages and of header frames. */
export const INTERNAL_KEY = "SEA_STREAMER_INTERNAL";

const MAX_KEY_BYTES = 249;

/**
 * ```
 * prefix = u8 key length | key (ASCII) | u64 shard
 * ```
 */
export class StreamId {
  readonly key: string;
  readonly shard: number;
  readonly prefix: Uint8Array;
  /** The prefix, for comparing four bytes at once; it has at least ten. */
  readonly words: DataView;
  readonly isInternal: boolean;

  constructor(key: string, shard: number, prefix: Uint8Array) {
    this.key = key;
    this.shard = shard;
    this.prefix = prefix;
    this.words = new DataView(prefix.buffer, prefix.byteOffset, prefix.length);
    this.isInternal = key === INTERNAL_KEY;
  }
}

/** Makes the id of a stream that is to be written; rejects a key that no reader would take. */
export function createStreamId(key: string, shard: number): StreamId {
  if (key.length > MAX_KEY_BYTES || !/^[A-Za-z0-9._-]+$/.test(key)) {
    throw new SsFormatError("invalid-option", `stream key ${JSON.stringify(key)} must be 1 to ${MAX_KEY_BYTES} of A-Z a-z 0-9 . _ -`);
  }
  if (!Number.isSafeInteger(shard) || shard < 0) {
    throw new SsFormatError("invalid-option", `shard ${shard} must be an integer from 0 to 2^53 − 1`);
  }
  const prefix = Buffer.alloc(key.length + 9);
  prefix[0] = key.length;
  prefix.write(key, 1, "latin1");
  writeU64(prefix, key.length + 1, shard);
  return new StreamId(key, shard, prefix);
}

/** Reads the prefix at `bytes[at]`, which must be there as a whole; undefined if no writer would have written it. */
export function decodeStreamId(bytes: Uint8Array, at: number): StreamId | undefined {
  const keyLength = bytes[at] as number;
  if (keyLength === 0 || keyLength > MAX_KEY_BYTES) return undefined;
  const shardAt = at + 1 + keyLength;
  for (let i = at + 1; i < shardAt; i++) if (!isKeyByte(bytes[i] as number)) return undefined;
  const high = readU32(bytes, shardAt);
  // A shard is a number everywhere in Seaway; one above 2^53 − 1 is far likelier a damaged length in front of it.
  if (high >= 0x20_0000) return undefined;
  const prefix = Buffer.from(bytes.subarray(at, shardAt + 8));
  return new StreamId(prefix.toString("latin1", 1, 1 + keyLength), high * 4_294_967_296 + readU32(bytes, shardAt + 4), prefix);
}

/** The order of beacon markers: key bytes, then shard. Keys are ASCII, so the order of strings is that of their bytes. */
export function compareStreamIds(a: StreamId, b: StreamId): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.shard - b.shard;
}

/** Text that names the stream uniquely, for use as a map key. */
export function streamIdText(key: string, shard: number): string {
  return `${key}/${shard}`;
}

function isKeyByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2e ||
    byte === 0x5f ||
    byte === 0x2d
  );
}
