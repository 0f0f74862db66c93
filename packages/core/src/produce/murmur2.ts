/** The hash that chooses a shard by key: the same as Kafka's Java client, so that a key lands on the same shard everywhere. */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** MurmurHash2, 32 bits, with the seed and the signed result of Kafka's Java client (`org.apache.kafka.common.utils.Utils.murmur2`). */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  let at = 0;
  for (const end = length & ~3; at < end; at += 4) {
    let word = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length & 3;
  if (rest > 0) {
    if (rest === 3) hash ^= byteAt(bytes, at + 2) << 16;
    if (rest >= 2) hash ^= byteAt(bytes, at + 1) << 8;
    hash = Math.imul(hash ^ byteAt(bytes, at), MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Within bounds by the loops above; the fallback only satisfies the type. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
