/**
 * The first 128 bytes of a `.ss` file.
 *
 * ```
 *   0  53 73            magic "Ss"
 *   2  01               version
 *   3  u8 n, n bytes    file name at creation, UTF-8, n ≤ 111
 * 4+n  u64              created, ms since the Unix epoch
 * 12+n u32              beacon interval in bytes
 * 16+n 00 × (111−n)     padding
 * 127  0D
 * ```
 */

import { readU32, readU64, toU64, type U64, writeU32, writeU64 } from "./big-endian.ts";
import { SsFormatError } from "./format-error.ts";

export const FILE_HEADER_BYTES = 128;
/** The least interval the codec takes; public options are stricter. */
const MIN_BEACON_INTERVAL = 128;
const MAX_NAME_BYTES = 111;

export interface FileHeader {
  /** Base name of the file when it was created. */
  readonly fileName: string;
  /** Ms since the Unix epoch. */
  readonly createdAt: U64;
  /** Bytes from one beacon to the next, 128 to 2^32 − 1. */
  readonly beaconInterval: number;
}

/** Rejects a name above 111 bytes (`invalid-option`) and an interval the format has no room for. */
export function encodeFileHeader(header: FileHeader): Uint8Array {
  const name = Buffer.from(header.fileName, "utf8");
  if (name.length > MAX_NAME_BYTES) {
    throw new SsFormatError(
      "invalid-option",
      `the file name "${header.fileName}" has ${name.length} bytes as UTF-8; a .ss file has room for ${MAX_NAME_BYTES}: choose a shorter name`,
    );
  }
  assertBeaconInterval(header.beaconInterval);
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  bytes.set([0x53, 0x73, 0x01, name.length]);
  bytes.set(name, 4);
  writeU64(bytes, 4 + name.length, toU64(header.createdAt));
  writeU32(bytes, 12 + name.length, header.beaconInterval);
  bytes[127] = 0x0d;
  return bytes;
}

/** Reads the 128 bytes. Throws `corrupt-data` for another magic or version, or a header that cannot be followed. */
export function decodeFileHeader(bytes: Uint8Array): FileHeader {
  if (bytes.length < FILE_HEADER_BYTES) {
    throw new SsFormatError("corrupt-data", `a .ss file begins with ${FILE_HEADER_BYTES} bytes of header, here are ${bytes.length}`);
  }
  if (!beginsLikeSsFile(bytes)) {
    throw new SsFormatError(
      "corrupt-data",
      `not a .ss file of version 1: it begins ${Buffer.from(bytes.subarray(0, 3)).toString("hex")}, not 537301`,
    );
  }
  const nameLength = bytes[3] as number;
  if (nameLength > MAX_NAME_BYTES) {
    throw new SsFormatError("corrupt-data", `the file name in the header claims ${nameLength} bytes of ${MAX_NAME_BYTES}`);
  }
  const beaconInterval = readU32(bytes, 12 + nameLength);
  if (beaconInterval < MIN_BEACON_INTERVAL) {
    throw new SsFormatError("corrupt-data", `the header's beacon interval is ${beaconInterval}, below ${MIN_BEACON_INTERVAL}`);
  }
  return {
    fileName: Buffer.from(bytes.subarray(4, 4 + nameLength)).toString("utf8"),
    createdAt: readU64(bytes, 4 + nameLength),
    beaconInterval,
  };
}

/** Whether as much of magic and version as is there is right: true for a header cut short by a crash. */
export function beginsLikeSsFile(bytes: Uint8Array): boolean {
  return [0x53, 0x73, 0x01].every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

export function assertBeaconInterval(interval: number): void {
  if (!Number.isInteger(interval) || interval < MIN_BEACON_INTERVAL || interval > 0xffff_ffff) {
    throw new SsFormatError(
      "invalid-option",
      `a beacon interval of ${interval} is not an integer from ${MIN_BEACON_INTERVAL} to 4294967295`,
    );
  }
}
