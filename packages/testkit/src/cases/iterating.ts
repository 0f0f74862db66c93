/** Cases 69 to 73: ways of reading, and leaving them. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn, watch } from "./expecting.ts";
import { reader } from "./grouping.ts";
import { numbered, take, takeAll, texts } from "./reading.ts";

export const iterating: Chapter = {
  title: "iterating",
  cases: [
    {
      number: "69",
      title: "break, throw, return() and cancel end the stream, and the consumer goes on with the next message",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        await producer.sendMany(numbered("m", 20).map((value) => ({ value })));
        const seen: string[] = [];
        const read = async (): Promise<void> => {
          for await (const message of consumer.stream()) {
            seen.push(message.text());
            if (seen.length === 3) break;
          }
          await assert.rejects(async () => {
            for await (const message of consumer) {
              seen.push(message.text());
              if (seen.length === 6) throw new Error("the loop's own");
            }
          }, /the loop's own/);
          const iterator = consumer.stream();
          for (let count = 0; count < 3; count += 1) seen.push((await iterator.next()).value?.text() ?? "ended");
          await iterator.return?.();
          assert.equal((await iterator.next()).done, true);
          const reader = consumer.readable().getReader();
          for (let count = 0; count < 3; count += 1) seen.push((await reader.read()).value?.text() ?? "ended");
          await reader.cancel();
          seen.push(...texts(await take(consumer, 8, context.limits.waitMs)));
        };
        await within(read(), context.limits.waitMs, "the reads");
        assert.deepEqual(seen, numbered("m", 20));
      },
    },
    {
      number: "69",
      title: "leaving a stream whose read still waits loses nothing",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const iterator = consumer.stream();
        const pending = iterator.next();
        await turn();
        await within(Promise.resolve(iterator.return?.()), context.limits.waitMs, "return()");
        assert.equal((await within(pending, context.limits.waitMs, "the read that waited")).done, true);
        await producer.send("m-0");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m-0"]);
      },
    },
    {
      number: "69",
      title: "cancelling a readable whose read still waits loses nothing",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const reader = consumer.readable().getReader();
        const pending = reader.read();
        await turn();
        await within(reader.cancel(), context.limits.waitMs, "cancel");
        assert.equal((await within(pending, context.limits.waitMs, "the read that waited")).done, true);
        await producer.send("m-0");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m-0"]);
      },
    },
    {
      number: "70",
      title: "a second stream, or next beside one, is consumer-busy",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        await producer.sendMany(numbered("m", 3).map((value) => ({ value })));
        const first = consumer.stream();
        assert.equal((await within(first.next(), context.limits.waitMs, "the first read")).value?.text(), "m-0");
        await failsWith("consumer-busy", () => consumer.stream().next());
        await failsWith("consumer-busy", () => consumer.next());
        await failsWith("consumer-busy", () => consumer.readable().getReader().read());
        assert.equal((await within(first.next(), context.limits.waitMs, "the second read")).value?.text(), "m-1");
        await first.return?.();
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m-2"]);
      },
    },
    {
      number: "71",
      title: "concurrent next() calls get distinct messages, in order",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const reads = Promise.all(Array.from({ length: 50 }, () => consumer.next()));
        await producer.sendMany(numbered("m", 60).map((value) => ({ value })));
        assert.deepEqual(texts(await within(reads, context.limits.waitMs, "the reads")), numbered("m", 50));
        assert.deepEqual(texts(await take(consumer, 10, context.limits.waitMs)), numbered("m", 10, 50));
      },
    },
    {
      number: "71",
      title: "concurrent next() in a group: distinct in rolling, consumer-busy in on-next",
      needs: ["groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        await producer.sendMany(numbered("m", 30).map((value) => ({ value })));
        const rolling = await reader(context, stream);
        const reads = Promise.all(Array.from({ length: 20 }, () => rolling.next()));
        const messages = await within(reads, context.limits.waitMs, "the reads");
        assert.deepEqual(texts(messages), numbered("m", 20));
        rolling.ackMany(messages);
        await rolling.close();
        const onNext = await reader(context, stream, { autoCommit: "on-next" });
        const first = onNext.next();
        const busy = await failsWith("consumer-busy", () => onNext.next());
        assert.match(busy.message, /run|rolling/);
        assert.equal((await within(first, context.limits.waitMs, "the first read")).text(), "m-20");
        // One after the other they are welcome.
        assert.deepEqual(texts(await take(onNext, 2, context.limits.waitMs)), numbered("m", 2, 21));
      },
    },
    {
      number: "72",
      title: "an aborted next loses nothing",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        await failsWith("aborted", () => consumer.next({ signal: AbortSignal.abort() }));
        const abort = new AbortController();
        const pending = consumer.next({ signal: abort.signal });
        await turn();
        abort.abort();
        await failsWith("aborted", () => within(pending, context.limits.waitMs, "the aborted read"));
        await producer.send("m-0");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m-0"]);
      },
    },
    {
      number: "72",
      title: "an abort in the moment of arrival loses nothing",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const seen: string[] = [];
        for (const [round, text] of numbered("m", 200).entries()) {
          const abort = new AbortController();
          const pending = consumer.next({ signal: abort.signal });
          const sent = producer.send(text);
          // Sometimes before the message comes, sometimes in the same turn, sometimes after.
          for (let turns = 0; turns < round % 5; turns += 1) await turn();
          abort.abort();
          await pending.then(
            (message) => seen.push(message.text()),
            (error: unknown) => failsWith("aborted", () => Promise.reject(error)),
          );
          await sent;
        }
        seen.push(...texts(await take(consumer, 200 - seen.length, context.limits.waitMs)));
        assert.deepEqual(seen, numbered("m", 200));
      },
    },
    {
      number: "73",
      title: "close ends a pending read",
      async run(context) {
        const consumer = await context.streamer.createConsumer(context.freshStream());
        const pending = failsWith("closed", () => consumer.next());
        await turn();
        await within(consumer.close(), context.limits.waitMs, "close");
        await within(pending, context.limits.waitMs, "the pending read");
        await failsWith("closed", () => consumer.next());
        await consumer.close();
      },
    },
    {
      number: "73",
      title: "close ends a loop that waits, and may be called inside one",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const looping = takeAll(consumer);
        const looped = watch(looping);
        await turn();
        assert.equal(looped.settled, false);
        await within(consumer.close(), context.limits.waitMs, "close");
        assert.deepEqual(await within(looping, context.limits.waitMs, "the loop"), []);

        const inside = await context.streamer.createConsumer(stream);
        await (await context.streamer.createProducer(stream)).sendMany(numbered("m", 5).map((value) => ({ value })));
        const seen: string[] = [];
        const work = (async () => {
          for await (const message of inside) {
            seen.push(message.text());
            await inside.close();
          }
        })();
        await within(work, context.limits.waitMs, "the loop that closes its consumer");
        assert.deepEqual(seen, ["m-0"]);
      },
    },
  ],
};
