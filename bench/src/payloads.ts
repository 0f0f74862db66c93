/** The payloads that both sides send: not one buffer over and over, which would never leave the processor's cache. */

const COUNT = 1024;

/** A thousand buffers that differ; message i has payload `i % length`. */
export function makePayloads(bytes: number): readonly Buffer[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const payload = Buffer.alloc(bytes);
    // A linear congruence: the same bytes in every run and on both sides.
    for (let at = 0, state = i + 1; at < bytes; at++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      payload[at] = state >>> 16;
    }
    return payload;
  });
}
