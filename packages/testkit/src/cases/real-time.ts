/** Cases 17 to 21, but for patterns: where a real-time consumer starts, what it sees, and what it has no use for. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { failsWith, turn } from "./expecting.ts";
import { numbered, take, takeUntil, texts } from "./reading.ts";

export const realTime: Chapter = {
  title: "real-time",
  cases: [
    {
      number: "17",
      title: "latest sees only what follows its creation, from the first message on",
      needs: ["real-time"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        const other = await context.connect();
        for (let round = 0; round < 20; round += 1) {
          await producer.send(`before-${round}`);
          const consumer = await other.createConsumer(stream);
          const sent = numbered(`round-${round}`, 3);
          await Promise.all(sent.map((text) => producer.send(text)));
          assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), sent);
          await consumer.close();
        }
      },
    },
    {
      number: "17",
      title: "latest sees the first message of a stream that did not exist",
      needs: ["real-time"],
      async run(context) {
        for (let round = 0; round < 5; round += 1) {
          const stream = context.freshStream();
          const consumer = await context.streamer.createConsumer(stream);
          const producer = await (await context.connect()).createProducer(stream);
          const sent = numbered(`round-${round}`, 3);
          for (const text of sent) await producer.send(text);
          assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), sent);
        }
      },
    },
    {
      number: "17",
      title: "latest sees the first message of every shard",
      needs: ["real-time", "shards"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: 3 });
        for (let shard = 0; shard < 3; shard += 1) await producer.send("before", { shard });
        const consumer = await (await context.connect()).createConsumer(stream);
        for (let shard = 0; shard < 3; shard += 1) await producer.send(`after-${shard}`, { shard });
        assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)).sort(), numbered("after", 3));
      },
    },
    {
      number: "17",
      title: "says of each shard from where it reads",
      needs: ["real-time", "seek"],
      async run(context) {
        const stream = context.freshStream();
        await (await context.streamer.createProducer(stream)).send("x");
        const latest = await context.streamer.createConsumer(stream);
        const earliest = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        assert.deepEqual(latest.start, [{ streamKey: stream, shardId: 0, origin: "latest" }]);
        assert.deepEqual(earliest.start, [{ streamKey: stream, shardId: 0, origin: "earliest" }]);
      },
    },
    {
      number: "17",
      title: "refuses a missing stream with createStream: false",
      needs: ["real-time"],
      async run(context) {
        await failsWith("stream-not-found", () => context.streamer.createConsumer(context.freshStream(), { createStream: false }));
        await failsWith("stream-not-found", () => context.streamer.createProducer(context.freshStream(), { createStream: false }));
      },
    },
    {
      number: "18",
      title: "earliest sees the history, then follows",
      needs: ["real-time", "seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        for (const text of numbered("old", 2_500)) producer.enqueue(text);
        await producer.flush();
        const consumer = await (await context.connect()).createConsumer(stream, { autoStreamReset: "earliest" });
        assert.deepEqual(texts(await take(consumer, 2_500, context.limits.waitMs)), numbered("old", 2_500));
        for (const text of numbered("new", 5)) await producer.send(text);
        assert.deepEqual(texts(await take(consumer, 5, context.limits.waitMs)), numbered("new", 5));
      },
    },
    {
      number: "18",
      title: "earliest misses and repeats nothing while a producer goes on",
      needs: ["real-time", "seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        for (const text of numbered("m", 500)) producer.enqueue(text);
        await producer.flush();
        const writing = producer.sendMany(numbered("m", 2_000, 500).map((value) => ({ value })));
        const consumer = await (await context.connect()).createConsumer(stream, { autoStreamReset: "earliest" });
        assert.deepEqual(texts(await take(consumer, 2_500, context.limits.waitMs)), numbered("m", 2_500));
        await writing;
      },
    },
    {
      number: "19",
      title: "one consumer reads several keys, and no other",
      needs: ["real-time"],
      async run(context) {
        const streams = [context.freshStream(), context.freshStream(), context.freshStream()];
        const other = context.freshStream();
        const consumer = await context.streamer.createConsumer(streams);
        const producer = await context.streamer.createProducer();
        for (const text of numbered("m", 30)) {
          for (const stream of streams) await producer.sendTo(stream, text);
          await producer.sendTo(other, "other");
        }
        const messages = await take(consumer, 90, context.limits.waitMs);
        for (const stream of streams) {
          assert.deepEqual(texts(messages.filter((message) => message.streamKey === stream)), numbered("m", 30));
        }
      },
    },
    {
      number: "20",
      title: "two consumers each see everything",
      needs: ["real-time"],
      async run(context) {
        const stream = context.freshStream();
        const other = await context.connect();
        const consumers = [
          await context.streamer.createConsumer(stream),
          await context.streamer.createConsumer(stream),
          await other.createConsumer(stream),
        ];
        const producer = await context.streamer.createProducer(stream);
        await producer.sendMany(numbered("m", 300).map((value) => ({ value })));
        for (const consumer of consumers) assert.deepEqual(texts(await take(consumer, 300, context.limits.waitMs)), numbered("m", 300));
      },
    },
    {
      number: "21",
      title: "a busy stream neither starves nor loses a quiet one's messages",
      needs: ["real-time"],
      async run(context) {
        const [busy, quiet] = [context.freshStream(), context.freshStream()];
        const consumer = await context.streamer.createConsumer([busy, quiet]);
        const producer = await (await context.connect()).createProducer();
        let sent = 0;
        let keepOn = true;
        const writing = (async () => {
          while (keepOn) {
            const values = numbered("busy", 200, sent);
            sent += values.length;
            await producer.sendMany(values.map((value) => ({ value, streamKey: busy })));
            // Where a backend answers at once, no time limit could strike without this.
            await turn();
          }
        })();
        try {
          const reading: string[] = [];
          for (let round = 0; round < 5; round += 1) {
            await producer.sendTo(quiet, `quiet-${round}`);
            // The producer goes on writing to the busy stream until the quiet one's message has come through.
            const messages = await takeUntil(
              consumer,
              (message) => message.streamKey === quiet,
              `quiet message ${round} beside a busy stream`,
              context.limits.waitMs,
            );
            assert.equal(messages.at(-1)?.text(), `quiet-${round}`);
            reading.push(...texts(messages.slice(0, -1)));
          }
          keepOn = false;
          await writing;
          reading.push(...texts(await take(consumer, sent - reading.length, context.limits.waitMs)));
          assert.deepEqual(reading, numbered("busy", sent));
        } finally {
          keepOn = false;
          await writing;
        }
      },
    },
  ],
};
