/** Case 13: which shard a message goes to. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { failsWith } from "./expecting.ts";
import { numbered, take } from "./reading.ts";

const SHARDS = 5;

/** Keys and their murmur2 hash, from the tests of Kafka's Java client: any backend puts a key on the same shard. */
const MURMUR2_VECTORS: readonly (readonly [key: string, hash: number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

function shardOf(hash: number): number {
  return (hash & 0x7fffffff) % SHARDS;
}

export const sharding: Chapter = {
  title: "sharding",
  cases: [
    {
      number: "13",
      title: "puts a key on the shard that Kafka's own client would choose, every time",
      needs: ["shards", "keys"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: SHARDS });
        const consumer = await context.streamer.createConsumer(stream);
        for (const [key, hash] of [...MURMUR2_VECTORS, ...MURMUR2_VECTORS]) {
          const asText = await producer.send("text", { key });
          const asBytes = await producer.send("bytes", { key: Buffer.from(key) });
          assert.deepEqual([asText.shardId, asBytes.shardId], [shardOf(hash), shardOf(hash)], `key ${key}`);
        }
        for (const message of await take(consumer, MURMUR2_VECTORS.length * 4, context.limits.waitMs)) {
          const vector = MURMUR2_VECTORS.find(([key]) => key === message.key);
          assert.equal(message.shardId, shardOf(vector?.[1] ?? Number.NaN), `key ${message.key}`);
        }
      },
    },
    {
      number: "13",
      title: "spreads messages without a key over all shards",
      needs: ["shards"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: SHARDS });
        const consumer = await context.streamer.createConsumer(stream);
        await Promise.all(numbered("m", SHARDS * 10).map((text) => producer.send(text)));
        const messages = await take(consumer, SHARDS * 10, context.limits.waitMs);
        assert.deepEqual([...new Set(messages.map((message) => message.shardId))].sort(), [0, 1, 2, 3, 4]);
      },
    },
    {
      number: "13",
      title: "finds the shards of an existing stream, and refuses another number",
      needs: ["shards", "keys"],
      async run(context) {
        const stream = context.freshStream();
        await context.streamer.createProducer(stream, { shards: SHARDS });
        const other = await context.connect();
        const producer = await other.createProducer(stream);
        for (const [key, hash] of MURMUR2_VECTORS) assert.equal((await producer.send("x", { key })).shardId, shardOf(hash), `key ${key}`);
        await other.createProducer(stream, { shards: SHARDS });
        await failsWith("invalid-option", () => other.createProducer(stream, { shards: SHARDS + 1 }));
      },
    },
    {
      number: "13",
      title: "obeys a sharder, and a shard named with the message",
      needs: ["shards"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: SHARDS, sharder: () => 3 });
        assert.equal((await producer.send("by the sharder")).shardId, 3);
        assert.equal((await producer.send("by name", { shard: 1 })).shardId, 1);
        await failsWith("invalid-option", () => producer.send("nowhere", { shard: SHARDS }));
      },
    },
  ],
};
