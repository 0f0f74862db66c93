/** Big-endian integers in a byte array: the numbers of every `.ss` structure. */

import { SsFormatError } from "./format-error.ts";

/**
 * An exact unsigned 64-bit integer: a number up to 2^53−1, above that a bigint.
 * Two of them that came out of this module are equal if `===`, and `<` compares exactly across both types.
 */
export type U64 = number | bigint;

const TWO_32 = 4_294_967_296;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** Brings any integer to the one representation of {@link U64}; rejects what does not fit into 64 bits. */
export function toU64(value: U64): U64 {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && value >= 0) return value;
  } else if (value >= 0n && value <= MAX_U64) {
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }
  throw new SsFormatError("invalid-option", `${value} is not an unsigned 64-bit integer; above 2^53 − 1 it must be a bigint`);
}

export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
  );
}

export function readU64(bytes: Uint8Array, at: number): U64 {
  const high = readU32(bytes, at);
  const low = readU32(bytes, at + 4);
  return high < 0x20_0000 ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low);
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function writeU64(bytes: Uint8Array, at: number, value: U64): void {
  if (typeof value === "number") {
    writeU32(bytes, at, (value / TWO_32) >>> 0);
    writeU32(bytes, at + 4, value >>> 0);
  } else {
    writeU32(bytes, at, Number(value >> 32n));
    writeU32(bytes, at + 4, Number(value & 0xffff_ffffn));
  }
}
