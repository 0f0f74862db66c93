import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shardOfKey } from "./sharder.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the shard of a key", () => {
  it("is where Kafka's Java client puts it, also for a negative hash", () => {
    expect(["21", "foobar", "abc"].map((key) => shardOfKey(bytes(key), 12))).toEqual([0, 6, 3]);
    expect(shardOfKey(bytes("21"), 7)).toBe((-973932308 + 2 ** 31) % 7);
    expect(shardOfKey(bytes("abc"), 7)).toBe(479470107 % 7);
  });

  it("is always one of the stream's shards", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 65_536 }), (key, shards) => {
        const shard = shardOfKey(key, shards);
        expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
      }),
    );
  });

  it("spreads keys", () => {
    const counts = [0, 0, 0, 0];
    for (let key = 0; key < 4_000; key += 1) counts[shardOfKey(bytes(`customer-${key}`), 4)]! += 1;
    for (const count of counts) expect(count).toBeGreaterThan(800);
  });
});
