/** Case 23: what passes through leaves nothing behind. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { claims } from "../conformance/ability.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";

/** A message held back takes more than 100 bytes of heap: a million of them many times this. */
const MAX_GROWTH_BYTES = 48 * 1024 * 1024;
const CHUNK = 10_000;

/** The runtime's own collector, also where the process was started without `--expose-gc`. */
function collector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc as () => void;
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  if (typeof gc !== "function") throw new Error("this runtime has no garbage collector to call");
  return () => void gc();
}

function bytesInUse(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const volume: Chapter = {
  title: "volume",
  cases: [
    {
      number: "23",
      title: "a million messages pass in bounded memory",
      needs: ["real-time"],
      caseMs: 300_000,
      async run(context) {
        const stream = context.freshStream();
        const count = context.limits.manyMessages;
        if (claims(context.capabilities, "retention")) {
          await context.streamer.admin.createStream(stream, { retention: { maxMessages: CHUNK * 2 } });
        }
        const collect = collector();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const chunkLimitMs = context.limits.waitMs * 3;
        const passChunk = async (from: number): Promise<void> => {
          const size = Math.min(CHUNK, count - from);
          for (let index = 0; index < size; index += 1) producer.enqueue(`message-${from + index}`);
          for (let index = 0; index < size; index += 1) {
            const message = await consumer.next();
            if (message.text() !== `message-${from + index}`) assert.fail(`expected message-${from + index}, got ${message.text()}`);
          }
          await producer.flush();
        };
        // The first chunks fill caches and what retention keeps; growth counts from there.
        const warmUp = Math.min(CHUNK * 4, Math.floor(count / 2 / CHUNK) * CHUNK);
        let passed = 0;
        for (; passed < warmUp; passed += CHUNK) await within(passChunk(passed), chunkLimitMs, `message-${passed} and those after it`);
        const before = bytesInUse(collect);
        for (; passed < count; passed += CHUNK) await within(passChunk(passed), chunkLimitMs, `message-${passed} and those after it`);
        const growth = bytesInUse(collect) - before;
        assert.ok(growth < MAX_GROWTH_BYTES, `${Math.round(growth / 1024 / 1024)} MiB more after ${count} messages`);
      },
    },
  ],
};
