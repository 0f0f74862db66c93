/**
 * What the baselines of the file suite share: the `.ss` format of one stream with equal payloads, as a bare loop.
 *
 * It knows nothing of the packages that it is compared with: its own checksum, its own framing. It makes no object per message, looks
 * nothing up, checks no argument.
 *
 * ```
 * file     header 128 bytes, then messages; at every multiple of 1 MiB a beacon, also within a message
 * message  u8 key length | key | u64 shard | u64 sequence | u64 timestamp ms | u32 size | payload | u16 checksum | 0D
 * beacon   0D | u32 bytes of the message that are still to come | u8 markers | markers | 0D
 * marker   u8 key length | key | u64 shard | u64 sequence | u64 timestamp ms | u16 running checksum
 * ```
 */
import type { FileHandle } from "node:fs/promises";

export const STREAM_KEY = "bench";
const MIB = 1024 * 1024;
const HEADER_BYTES = 128;
const KEY = Buffer.from(STREAM_KEY);
/** Key with its length, and shard 0. */
const PREFIX = Buffer.concat([Buffer.from([KEY.length]), KEY, Buffer.alloc(8)]);
const HEAD_BYTES = PREFIX.length + 20;
const TAIL_BYTES = 3;
const BEACON_BYTES = 7 + PREFIX.length + 18;
/** A message may reach beyond its buffer by so much. */
const SLACK_BYTES = 64 * 1024;

/** CRC-16/CDMA2000 by slicing-by-8: eight bytes a step, which is the fastest documented way without hardware for it. */
const TABLES = makeTables();

function makeTables(): Uint16Array {
  const tables = new Uint16Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0xc867 : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before << 8) ^ (tables[before >>> 8] as number);
  }
  return tables;
}

export function checksumOf(bytes: Uint8Array, from: number, to: number): number {
  const t = TABLES;
  let crc = 0xffff;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    crc =
      (t[0x700 | ((bytes[i] as number) ^ (crc >>> 8))] as number) ^
      (t[0x600 | ((bytes[i + 1] as number) ^ (crc & 0xff))] as number) ^
      (t[0x500 | (bytes[i + 2] as number)] as number) ^
      (t[0x400 | (bytes[i + 3] as number)] as number) ^
      (t[0x300 | (bytes[i + 4] as number)] as number) ^
      (t[0x200 | (bytes[i + 5] as number)] as number) ^
      (t[0x100 | (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number);
  }
  for (; i < to; i++) crc = ((crc << 8) & 0xffff) ^ (t[(crc >>> 8) ^ (bytes[i] as number)] as number);
  return crc;
}

/** The running checksum of a stream takes each message's checksum as two bytes. */
function runOn(running: number, checksum: number): number {
  const mixed = running ^ checksum;
  return (TABLES[0x100 | (mixed >>> 8)] as number) ^ (TABLES[mixed & 0xff] as number);
}

function put32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

function put64(out: Uint8Array, at: number, value: number): void {
  put32(out, at, Math.floor(value / 0x1_0000_0000));
  put32(out, at + 4, value >>> 0);
}

/** Writes `messages` messages. The buffer begins and ends where beacons stand, so that each 1 MiB of the file is one write. */
export async function writeLoop(handle: FileHandle, fileName: string, payloads: readonly Uint8Array[], messages: number): Promise<void> {
  const out = Buffer.alloc(MIB + SLACK_BYTES);
  let offset = 0;
  let at = putHeader(out, fileName);
  let nowMs = Date.now();
  let running = 0xffff;
  for (let sequence = 1; sequence <= messages; sequence++) {
    const payload = payloads[(sequence - 1) % payloads.length] as Uint8Array;
    const checksum = checksumOf(payload, 0, payload.length);
    running = runOn(running, checksum);
    for (let i = 0; i < PREFIX.length; i++) out[at + i] = PREFIX[i] as number;
    const head = at + PREFIX.length;
    put64(out, head, sequence);
    put64(out, head + 8, nowMs);
    put32(out, head + 16, payload.length);
    out.set(payload, head + 20);
    at = head + 20 + payload.length;
    out[at] = checksum >>> 8;
    out[at + 1] = checksum;
    out[at + 2] = 0x0d;
    at += TAIL_BYTES;
    if (at < MIB) continue;
    await handle.write(out, 0, MIB, offset);
    offset += MIB;
    const remaining = at - MIB;
    out.copyWithin(BEACON_BYTES, MIB, at);
    putBeacon(out, remaining, sequence, nowMs, running);
    at = BEACON_BYTES + remaining;
    nowMs = Date.now();
  }
  await handle.write(out, 0, at, offset);
}

function putHeader(out: Buffer, fileName: string): number {
  out.fill(0, 0, HEADER_BYTES);
  out.write("Ss\x01");
  out[3] = Buffer.byteLength(fileName);
  const end = 4 + out.write(fileName, 4);
  put64(out, end, Date.now());
  put32(out, end + 8, MIB);
  out[HEADER_BYTES - 1] = 0x0d;
  return HEADER_BYTES;
}

function putBeacon(out: Buffer, remaining: number, sequence: number, timestampMs: number, running: number): void {
  out[0] = 0x0d;
  put32(out, 1, remaining);
  out[5] = 1;
  out.set(PREFIX, 6);
  const at = 6 + PREFIX.length;
  put64(out, at, sequence);
  put64(out, at + 8, timestampMs);
  out[at + 16] = running >>> 8;
  out[at + 17] = running;
  out[at + 18] = 0x0d;
}

/** Reads a file of {@link writeLoop} and checks every payload; resolves with the number of messages. */
export async function readLoop(handle: FileHandle): Promise<number> {
  // With room in front for the beginning of a message that the piece before ended in.
  const bytes = Buffer.alloc(SLACK_BYTES + MIB);
  let count = 0;
  let leftover = Buffer.alloc(0);
  for (let offset = 0; ; offset += MIB) {
    const { bytesRead } = await handle.read(bytes, SLACK_BYTES, MIB, offset);
    if (bytesRead === 0) break;
    const end = SLACK_BYTES + bytesRead;
    let at = SLACK_BYTES + (offset === 0 ? HEADER_BYTES : BEACON_BYTES) - leftover.length;
    leftover.copy(bytes, at);
    while (at + HEAD_BYTES <= end) {
      const sizeAt = at + PREFIX.length + 16;
      const size =
        ((bytes[sizeAt] as number) << 24) |
        ((bytes[sizeAt + 1] as number) << 16) |
        ((bytes[sizeAt + 2] as number) << 8) |
        (bytes[sizeAt + 3] as number);
      const payloadAt = at + HEAD_BYTES;
      const payloadEnd = payloadAt + size;
      if (payloadEnd + TAIL_BYTES > end) break;
      const stored = ((bytes[payloadEnd] as number) << 8) | (bytes[payloadEnd + 1] as number);
      if (checksumOf(bytes, payloadAt, payloadEnd) !== stored) throw new Error(`message ${count} is damaged`);
      count += 1;
      at = payloadEnd + TAIL_BYTES;
    }
    // A copy, because the next piece is read over it.
    leftover = Buffer.from(bytes.subarray(at, end));
  }
  if (leftover.length > 0) throw new Error(`${leftover.length} bytes are left over`);
  return count;
}
