/** Cases 47 to 52: fetch in a group. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn, watch } from "./expecting.ts";
import { groupState, member, reader } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "fetch"] as const;

export const fetching: Chapter = {
  title: "fetching",
  cases: [
    {
      number: "47",
      title: "gives exactly as many as asked for where there are more",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 20));
        const consumer = await member(context, stream);
        const expiresMs = context.limits.waitMs;
        for (const [from, maxMessages] of [
          [0, 5],
          [5, 1],
          [6, 9],
        ] as const) {
          const messages = await within(consumer.fetch({ maxMessages, expiresMs }), context.limits.waitMs, "the fetch");
          assert.deepEqual(texts(messages), numbered("m", maxMessages, from));
          consumer.ackMany(messages);
        }
      },
    },
    {
      number: "48",
      title: "takes no more from the broker than was asked for",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 20));
        const consumer = await member(context, stream);
        await consumer.fetch({ maxMessages: 5, expiresMs: context.limits.waitMs });
        const { pending } = await groupState(context, stream, 20);
        assert.ok(pending === undefined || pending === 5, `${pending} pending after a fetch of 5`);
        await consumer.fetch({ maxMessages: 2, expiresMs: context.limits.waitMs });
        const later = (await groupState(context, stream, 20)).pending;
        assert.ok(later === undefined || later === 7, `${later} pending after a fetch of 2 more`);
        // Another member has all the others at once.
        const other = await member(context, stream, { streamer: await context.connect() });
        if (pending !== undefined)
          assert.deepEqual(texts(await take(other, 13, context.limits.waitMs)).sort(), numbered("m", 13, 7).sort());
      },
    },
    {
      number: "49",
      title: "gives an empty array at expiry where there is nothing",
      needs,
      async run(context) {
        const stream = context.freshStream();
        const consumer = await member(context, stream);
        for (const expiresMs of [0, 50]) {
          assert.deepEqual(
            await within(consumer.fetch({ maxMessages: 10, expiresMs }), context.limits.waitMs, `the fetch of ${expiresMs} ms`),
            [],
          );
        }
        await sendTo(context, stream, ["m"]);
        assert.deepEqual(texts(await consumer.fetch({ maxMessages: 1, expiresMs: context.limits.waitMs })), ["m"]);
      },
    },
    {
      number: "50",
      title: "goes on where the last one stopped, also in the next program",
      needs: ["resumable", "groups", "settling", "fetch"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 20));
        const expiresMs = context.limits.waitMs;
        for (const from of [0, 8]) {
          const consumer = await reader(context, stream, { streamer: await context.connect() });
          for (const offset of [0, 3]) {
            const messages = await consumer.fetch({ maxMessages: offset === 0 ? 3 : 5, expiresMs });
            assert.deepEqual(texts(messages), numbered("m", offset === 0 ? 3 : 5, from + offset));
            consumer.ackMany(messages);
          }
          await consumer.close();
        }
      },
    },
    {
      number: "50",
      title: "takes what was read ahead first, and next goes on after it",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 30));
        const consumer = await member(context, stream);
        const seen = texts(await take(consumer, 1, context.limits.waitMs));
        seen.push(...texts(await consumer.fetch({ maxMessages: 10, expiresMs: context.limits.waitMs })));
        seen.push(...texts(await take(consumer, 5, context.limits.waitMs)));
        seen.push(...texts(await consumer.fetch({ maxMessages: 14, expiresMs: context.limits.waitMs })));
        assert.deepEqual(seen, numbered("m", 30));
      },
    },
    {
      number: "51",
      title: "gives what there is at expiry where there is less, and does not end before",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        const consumer = await member(context, stream);
        const before = performance.now();
        const messages = await within(consumer.fetch({ maxMessages: 10, expiresMs: 300 }), context.limits.waitMs, "the fetch");
        assert.deepEqual(texts(messages), numbered("m", 3));
        assert.ok(performance.now() - before >= 295, "it did not wait for the others");
        // What comes while it waits is in it, and it ends as soon as it is full.
        const waiting = consumer.fetch({ maxMessages: 2, expiresMs: context.limits.waitMs * 6 });
        const waited = watch(waiting);
        await sendTo(context, stream, ["late-0"]);
        await turn();
        assert.equal(waited.settled, false);
        await sendTo(context, stream, ["late-1"]);
        assert.deepEqual(texts(await within(waiting, context.limits.waitMs, "the full fetch")), numbered("late", 2));
      },
    },
    {
      number: "51",
      title: "in on-next acks nothing by itself",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 6));
        const consumer = await member(context, stream, { autoCommit: "on-next" });
        const messages = await consumer.fetch({ maxMessages: 3, expiresMs: context.limits.waitMs });
        await consumer.fetch({ maxMessages: 2, expiresMs: context.limits.waitMs });
        await consumer.commit();
        assert.equal((await groupState(context, stream, 6)).done, 0);
        consumer.ackMany(messages);
        await consumer.commit();
        assert.equal((await groupState(context, stream, 6)).done, 3);
      },
    },
    {
      number: "52",
      title: "an aborted fetch loses nothing",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        const consumer = await member(context, stream);
        await failsWith("aborted", () => consumer.fetch({ maxMessages: 3, expiresMs: 1_000, signal: AbortSignal.abort() }));
        const abort = new AbortController();
        const waiting = failsWith("aborted", () =>
          consumer.fetch({ maxMessages: 10, expiresMs: context.limits.waitMs * 6, signal: abort.signal }),
        );
        for (let turns = 0; turns < 10; turns += 1) await turn();
        abort.abort();
        await within(waiting, context.limits.waitMs, "the aborted fetch");
        await sendTo(context, stream, ["m-3"]);
        const messages = await consumer.fetch({ maxMessages: 4, expiresMs: context.limits.waitMs });
        assert.deepEqual(texts(messages), numbered("m", 4));
        for (const message of messages) {
          assert.equal(message.deliveryCount, 1, "what the program did not get is not counted");
          assert.equal(message.ack(), true);
        }
      },
    },
    {
      number: "52",
      title: "a fetch aborted in the moment of arrival loses nothing, and gives nothing twice",
      needs,
      async run(context) {
        const stream = context.freshStream();
        const consumer = await member(context, stream);
        const producer = await context.streamer.createProducer(stream);
        const seen: string[] = [];
        for (const [round, text] of numbered("m", 100).entries()) {
          const abort = new AbortController();
          const pending = consumer.fetch({ maxMessages: 2, expiresMs: context.limits.waitMs * 6, signal: abort.signal });
          const sent = producer.send(text);
          for (let turns = 0; turns < round % 6; turns += 1) await turn();
          abort.abort();
          await pending.then(
            (messages) => {
              seen.push(...texts(messages));
              consumer.ackMany(messages);
            },
            (error: unknown) => failsWith("aborted", () => Promise.reject(error)),
          );
          await sent;
        }
        const rest = await consumer.fetch({ maxMessages: 100 - seen.length + 1, expiresMs: 100 });
        assert.deepEqual([...seen, ...texts(rest)], numbered("m", 100));
      },
    },
  ],
};
