import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShardPicker, shardOfKey } from "./sharder.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyed = (key: string) => ({ streamKey: "orders", key: bytes(key) });
const bare = (streamKey = "orders") => ({ streamKey, key: undefined });

describe("choosing a shard", () => {
  it("puts a key where Kafka's Java client puts it", () => {
    expect(shardOfKey(bytes("21"), 10)).toBe((-973932308 & 0x7fffffff) % 10);
    expect(shardOfKey(bytes("abc"), 7)).toBe(479470107 % 7);
    expect(["21", "foobar", "abc"].map((key) => shardOfKey(bytes(key), 12))).toEqual([0, 6, 3]);
  });

  it("goes by the key if there is one, else in turn, by default", () => {
    const picker = new ShardPicker();
    expect([picker.pick(bare(), 3), picker.pick(bare(), 3), picker.pick(bare(), 3), picker.pick(bare(), 3)]).toEqual([0, 1, 2, 0]);
    expect(picker.pick(keyed("abc"), 12)).toBe(shardOfKey(bytes("abc"), 12));
    expect(picker.pick({ streamKey: "orders", key: new Uint8Array() }, 12)).toBe(shardOfKey(new Uint8Array(), 12));
  });

  it("takes turns per stream, so that two streams sent in turn both spread", () => {
    const picker = new ShardPicker("round-robin");
    const picked = ["a", "b", "a", "b"].map((streamKey) => picker.pick(bare(streamKey), 2));
    expect(picked).toEqual([0, 0, 1, 1]);
  });

  it("ignores the key in round-robin", () => {
    const picker = new ShardPicker("round-robin");
    expect([picker.pick(keyed("x"), 2), picker.pick(keyed("x"), 2)]).toEqual([0, 1]);
  });

  it("asks the program's function, and refuses what is not a shard", () => {
    expect(new ShardPicker((message, shards) => (message.key?.length ?? 0) % shards).pick(keyed("abcd"), 3)).toBe(1);
    for (const wrong of [3, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new ShardPicker(() => wrong).pick(bare(), 3)).toThrow(TypeError);
    }
  });

  it("always stays within the stream's shards", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 1000 }), (key, shards) => {
        const shard = new ShardPicker().pick({ streamKey: "s", key }, shards);
        expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
      }),
    );
  });
});
