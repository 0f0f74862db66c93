/** Case 23b: `until: "end"`. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn, watch } from "./expecting.ts";
import { member, reader } from "./grouping.ts";
import { numbered, take, takeAll, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

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
    {
      number: "23b",
      title: "in a group it ends when the group has what was there; what lies beyond is the next one's",
      needs: ["load-balanced", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 20));
        const first = await member(context, stream, { until: "end" });
        await sendTo(context, stream, numbered("late", 5));
        const seen: string[] = [];
        const read = async (): Promise<void> => {
          for await (const message of first.stream()) {
            seen.push(message.text());
            // One comes a second time: it has not ended before.
            if (seen.length === 4) message.nak();
            else message.ack();
          }
        };
        await within(read(), context.limits.waitMs, "the bounded read");
        assert.deepEqual([...seen].sort(), [...numbered("m", 20), seen[3] ?? ""].sort());
        await first.close();
        const next = await member(context, stream, { until: "end" });
        assert.deepEqual(texts(await take(next, 5, context.limits.waitMs)), numbered("late", 5));
      },
    },
    {
      number: "23b",
      title: "in a group it does not end while something of ours is not settled",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 2));
        const consumer = await reader(context, stream, { until: "end" });
        const messages = await take(consumer, 2, context.limits.waitMs);
        const ending = failsWith("stream-ended", () => consumer.next());
        const ended = watch(ending);
        messages[0]?.ack();
        for (let turns = 0; turns < 20; turns += 1) await turn();
        assert.equal(ended.settled, false, "it ended with a message in its program's hands");
        messages[1]?.ack();
        await within(ending, context.limits.waitMs, "the end after the last ack");
      },
    },
    {
      number: "23b",
      title: "in a group that has read everything, or on a missing stream, it ends at once",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const [stream, missing] = [context.freshStream(), context.freshStream()];
        await sendTo(context, stream, ["m"]);
        for (const [key, count] of [
          [stream, 1],
          [stream, 0],
          [missing, 0],
        ] as const) {
          const consumer = await reader(context, key, { until: "end" });
          for (const message of await take(consumer, count, context.limits.waitMs)) message.ack();
          await failsWith("stream-ended", () => within(consumer.next(), context.limits.waitMs, "the end"));
          await consumer.close();
        }
      },
    },
  ],
};
