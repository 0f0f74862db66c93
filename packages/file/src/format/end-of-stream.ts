/** The end-of-stream message: key `SEA_STREAMER_INTERNAL`, shard 0, sequence 0, payload `EOS`. */

export const EOS_PAYLOAD: Uint8Array = Uint8Array.of(0x45, 0x4f, 0x53);

export function isEosPayload(bytes: Uint8Array, at: number, length: number): boolean {
  return length === 3 && bytes[at] === 0x45 && bytes[at + 1] === 0x4f && bytes[at + 2] === 0x53;
}
