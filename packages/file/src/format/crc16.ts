/**
 * CRC-16/CDMA2000, the checksum of `.ss` messages: width 16, polynomial C867, init FFFF, no reflection, xor-out 0.
 *
 * Slicing: eight or sixteen bytes a step, through as many tables. TABLES[256·k + b] is what byte b contributes when k more bytes
 * follow it in the step.
 */

export const CRC16_INIT = 0xffff;

const POLYNOMIAL = 0xc867;
const TABLES: Uint16Array = makeTables();

/** The checksum of `bytes[start, end)`, going on from `crc`. Takes a range so that no view is made per message. */
export function crc16(bytes: Uint8Array, start = 0, end: number = bytes.length, crc: number = CRC16_INIT): number {
  const t = TABLES;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    crc =
      (t[1792 + ((bytes[at] as number) ^ (crc >>> 8))] as number) ^
      (t[1536 + ((bytes[at + 1] as number) ^ (crc & 0xff))] as number) ^
      (t[1280 + (bytes[at + 2] as number)] as number) ^
      (t[1024 + (bytes[at + 3] as number)] as number) ^
      (t[768 + (bytes[at + 4] as number)] as number) ^
      (t[512 + (bytes[at + 5] as number)] as number) ^
      (t[256 + (bytes[at + 6] as number)] as number) ^
      (t[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ (t[(crc >>> 8) ^ (bytes[at] as number)] as number);
  }
  return crc;
}

/**
 * The same through a DataView, which reads four bytes at once: for who has a view of a large buffer anyway. A fifth quicker for some
 * hundred bytes; making a view for one payload would cost more than that.
 */
export function crc16OfView(view: DataView, start: number, end: number): number {
  const t = TABLES;
  let crc = CRC16_INIT;
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    const a = view.getUint32(at) ^ (crc << 16);
    const b = view.getUint32(at + 4);
    const c = view.getUint32(at + 8);
    const d = view.getUint32(at + 12);
    crc =
      (t[3840 + (a >>> 24)] as number) ^
      (t[3584 + ((a >>> 16) & 0xff)] as number) ^
      (t[3328 + ((a >>> 8) & 0xff)] as number) ^
      (t[3072 + (a & 0xff)] as number) ^
      (t[2816 + (b >>> 24)] as number) ^
      (t[2560 + ((b >>> 16) & 0xff)] as number) ^
      (t[2304 + ((b >>> 8) & 0xff)] as number) ^
      (t[2048 + (b & 0xff)] as number) ^
      (t[1792 + (c >>> 24)] as number) ^
      (t[1536 + ((c >>> 16) & 0xff)] as number) ^
      (t[1280 + ((c >>> 8) & 0xff)] as number) ^
      (t[1024 + (c & 0xff)] as number) ^
      (t[768 + (d >>> 24)] as number) ^
      (t[512 + ((d >>> 16) & 0xff)] as number) ^
      (t[256 + ((d >>> 8) & 0xff)] as number) ^
      (t[d & 0xff] as number);
  }
  for (; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ (t[(crc >>> 8) ^ view.getUint8(at)] as number);
  }
  return crc;
}

/** One step of the running checksum: feeds a message's checksum as two big-endian bytes. */
export function crc16Step(running: number, checksum: number): number {
  const mixed = running ^ checksum;
  return (TABLES[256 + (mixed >>> 8)] as number) ^ (TABLES[mixed & 0xff] as number);
}

function makeTables(): Uint16Array {
  const tables = new Uint16Array(4096);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ POLYNOMIAL) & 0xffff : crc << 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < 4096; at++) {
    const before = tables[at - 256] as number;
    tables[at] = ((before << 8) & 0xffff) ^ (tables[before >>> 8] as number);
  }
  return tables;
}
