/** Case 23b: `until: "end"`. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn } from "./expecting.ts";
import { numbered, take, takeAll, texts } from "./reading.ts";

export const boundedReads: Chapter = {
  title: "bounded reads",
  cases: [
    {
      number: "23b",
      title: "ends exactly at what was last, while a producer goes on writing",
      needs: ["real-time", "seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await (await context.connect()).createProducer(stream);
        await producer.sendMany(numbered("m", 1_500).map((value) => ({ value })));
        let keepOn = true;
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest", until: "end" });
        const writing = (async () => {
          while (keepOn) {
            await producer.sendMany(numbered("late", 50).map((value) => ({ value })));
            await turn();
          }
        })();
        try {
          const messages = await within(takeAll(consumer), context.limits.waitMs, "the bounded read");
          assert.deepEqual(texts(messages), numbered("m", 1_500));
          await failsWith("stream-ended", () => consumer.next());
        } finally {
          keepOn = false;
          await writing;
        }
      },
    },
    {
      number: "23b",
      title: "ends when every shard of every stream has",
      needs: ["real-time", "seek", "shards"],
      async run(context) {
        const [sharded, plain] = [context.freshStream(), context.freshStream()];
        const producer = await context.streamer.createProducer(sharded, { shards: 3 });
        await producer.sendMany(numbered("m", 90).map((value) => ({ value })));
        await producer.sendMany(numbered("p", 10).map((value) => ({ value, streamKey: plain })));
        const consumer = await context.streamer.createConsumer([sharded, plain], { autoStreamReset: "earliest", until: "end" });
        const messages = await within(takeAll(consumer), context.limits.waitMs, "the bounded read");
        assert.deepEqual(texts(messages).sort(), [...numbered("m", 90), ...numbered("p", 10)].sort());
      },
    },
    {
      number: "23b",
      title: "ends at once on a stream that is empty or missing, and at the end of one that has been read",
      needs: ["real-time", "seek"],
      async run(context) {
        const [empty, missing, full] = [context.freshStream(), context.freshStream(), context.freshStream()];
        await context.streamer.createProducer(empty);
        for (const stream of [empty, missing]) {
          const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest", until: "end" });
          assert.deepEqual(await within(takeAll(consumer), context.limits.waitMs, "the read of nothing"), []);
        }
        await (await context.streamer.createProducer(full)).send("m");
        const latest = await context.streamer.createConsumer(full, { until: "end" });
        await failsWith("stream-ended", () => within(latest.next(), context.limits.waitMs, "the read from the end"));
        const earliest = await context.streamer.createConsumer(full, { autoStreamReset: "earliest", until: "end" });
        assert.deepEqual(texts(await take(earliest, 1, context.limits.waitMs)), ["m"]);
        await failsWith("stream-ended", () => within(earliest.next(), context.limits.waitMs, "the read after the last"));
      },
    },
  ],
};
