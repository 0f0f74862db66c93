/** Case 86: looking after streams and groups, lag, pause and resume. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { failsWith, turn, watch } from "./expecting.ts";
import { GROUP, groupState, member, reader } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

export const administering: Chapter = {
  title: "administering",
  cases: [
    {
      number: "86",
      title: "makes, lists, tells of and deletes streams",
      needs: ["admin.createStream", "admin.listStreams", "admin.streamInfo"],
      async run(context) {
        const { admin } = context.streamer;
        const stream = context.freshStream();
        await failsWith("stream-not-found", () => admin.streamInfo(stream));
        assert.deepEqual(await admin.createStream(stream), { shards: 1 });
        assert.deepEqual(await admin.createStream(stream), { shards: 1 });
        await failsWith("invalid-stream-key", () => admin.createStream("a..b"));
        assert.ok((await admin.listStreams()).includes(stream));
        const sequences = (await sendTo(context, stream, numbered("m", 3))).map(({ sequence }) => sequence);
        const [shard, ...others] = (await admin.streamInfo(stream)).shards;
        assert.equal(others.length, 0);
        assert.equal(shard?.shardId, 0);
        if (shard?.length !== undefined) assert.equal(shard.length, 3);
        if (shard?.first !== undefined) assert.equal(shard.first, sequences[0]);
        if (shard?.last !== undefined) assert.equal(shard.last, sequences[2]);
      },
    },
    {
      number: "86",
      title: "makes streams of several shards, and refuses another number",
      needs: ["admin.createStream", "admin.streamInfo", "shards"],
      async run(context) {
        const { admin } = context.streamer;
        const stream = context.freshStream();
        assert.deepEqual(await admin.createStream(stream, { shards: 3 }), { shards: 3 });
        await failsWith("invalid-option", () => admin.createStream(stream, { shards: 2 }));
        const producer = await context.streamer.createProducer(stream);
        for (const shard of [0, 1, 1, 2]) await producer.send("m", { shard });
        const { shards } = await admin.streamInfo(stream);
        assert.deepEqual(
          shards.map(({ shardId, length }) => [shardId, length ?? [1, 2, 1][shardId]]),
          [
            [0, 1],
            [1, 2],
            [2, 1],
          ],
        );
      },
    },
    {
      number: "86",
      title: "keeps what retention says",
      needs: ["admin.createStream", "retention", "seek"],
      async run(context) {
        const stream = context.freshStream();
        await context.streamer.admin.createStream(stream, { retention: { maxMessages: 3 } });
        await sendTo(context, stream, numbered("m", 10));
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), numbered("m", 3, 7));
      },
    },
    {
      number: "86",
      title: "deletes a stream",
      needs: ["admin.deleteStream", "admin.listStreams", "admin.streamInfo"],
      async run(context) {
        const { admin } = context.streamer;
        const stream = context.freshStream();
        await failsWith("stream-not-found", () => admin.deleteStream(stream));
        await sendTo(context, stream, ["m"]);
        await admin.deleteStream(stream);
        assert.ok(!(await admin.listStreams()).includes(stream));
        await failsWith("stream-not-found", () => admin.streamInfo(stream));
      },
    },
    {
      number: "86",
      title: "trims a stream up to a sequence, and to its end",
      needs: ["admin.trim", "seek"],
      async run(context) {
        const stream = context.freshStream();
        const sequences = (await sendTo(context, stream, numbered("m", 6))).map(({ sequence }) => sequence);
        await context.streamer.admin.trim(stream, { at: sequences[2] ?? 0n });
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        assert.deepEqual(texts(await take(consumer, 4, context.limits.waitMs)), numbered("m", 4, 2));
        await context.streamer.admin.trim(stream, "end");
        await sendTo(context, stream, ["after"]);
        await consumer.rewind("beginning");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["after"]);
      },
    },
    {
      number: "86",
      title: "makes, lists and deletes groups; an existing one stays as it is",
      needs: ["resumable", "groups", "settling", "admin.setGroup", "admin.listGroups", "admin.deleteGroup", "admin.groupInfo"],
      async run(context) {
        const { admin } = context.streamer;
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        assert.deepEqual(await admin.listGroups(stream), []);
        await admin.createGroup(stream, "first", "end");
        await admin.createGroup(stream, "second", "beginning");
        await admin.createGroup(stream, "first", "beginning");
        assert.deepEqual([...(await admin.listGroups(stream))].sort(), ["first", "second"]);
        await sendTo(context, stream, ["after"]);
        for (const [group, expected] of [
          ["first", ["after"]],
          ["second", [...numbered("m", 3), "after"]],
        ] as const) {
          const consumer = await reader(context, stream, { group });
          assert.deepEqual(texts(await take(consumer, expected.length, context.limits.waitMs)), expected, group);
          await consumer.close();
        }
        await admin.deleteGroup(stream, "first");
        assert.deepEqual(await admin.listGroups(stream), ["second"]);
        // Without its group a reader begins as one that was never there.
        const again = await reader(context, stream, { group: "first", autoStreamReset: "latest" });
        assert.equal(again.start[0]?.origin, "latest");
      },
    },
    {
      number: "86",
      title: "a group is told of: members, what is pending and what is to come, per shard",
      needs: ["load-balanced", "groups", "settling", "admin.groupInfo", "fetch"],
      async run(context) {
        const { admin } = context.streamer;
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 10));
        const consumer = await member(context, stream, { consumerName: "its name" });
        const messages = await consumer.fetch({ maxMessages: 4, expiresMs: context.limits.waitMs });
        messages[0]?.ack();
        await consumer.commit();
        const { members, shards } = await admin.groupInfo(stream, GROUP);
        assert.equal(members.length, 1);
        assert.equal(shards.length, 1);
        const [shard] = shards;
        if (shard?.pending !== undefined) assert.deepEqual([shard.pending, shard.lag, members[0]?.pending ?? 3], [3, 6, 3]);
        else assert.equal(shard?.lag, 9);
        await consumer.close();
        assert.equal((await groupState(context, stream, 10)).done, 1);
      },
    },
    {
      number: "86",
      title: "refuses to delete or tell of a group that is not there, or of a stream that is not",
      needs: ["groups", "admin.groupInfo", "admin.setGroup", "admin.listGroups", "admin.deleteGroup"],
      async run(context) {
        const { admin } = context.streamer;
        const [stream, missing] = [context.freshStream(), context.freshStream()];
        await sendTo(context, stream, ["m"]);
        await assert.rejects(admin.groupInfo(stream, "no-such-group"));
        await failsWith("stream-not-found", () => admin.groupInfo(missing, GROUP));
        await failsWith("stream-not-found", () => admin.listGroups(missing));
        await failsWith("stream-not-found", () => admin.createGroup(missing, GROUP, "end"));
        await assert.rejects(admin.createGroup(stream, "", "end"));
      },
    },
    {
      number: "86",
      title: "deleteGroup with live members is group-in-use",
      needs: ["load-balanced", "groups", "settling", "admin.deleteGroup"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const consumer = await member(context, stream);
        await failsWith("group-in-use", () => context.streamer.admin.deleteGroup(stream, GROUP));
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m"]);
        await consumer.close();
        await context.streamer.admin.deleteGroup(stream, GROUP);
      },
    },
    {
      number: "86",
      title: "lag says how many are stored and not yet handed over",
      needs: ["load-balanced", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 10));
        const consumer = await member(context, stream);
        const lag = async (): Promise<number | undefined> => (await consumer.lag())[0]?.messages;
        if ((await lag()) === undefined) return;
        assert.equal(await lag(), 10);
        await take(consumer, 4, context.limits.waitMs);
        assert.equal(await lag(), 6, "also where more is read ahead");
        await take(consumer, 6, context.limits.waitMs);
        assert.equal(await lag(), 0);
      },
    },
    {
      number: "86",
      title: "pause keeps messages back until resume, and leases go on",
      needs: ["load-balanced", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 5));
        const consumer = await member(context, stream);
        const [first] = await take(consumer, 1, context.limits.waitMs);
        consumer.pause();
        const next = consumer.next();
        const waited = watch(next);
        await sendTo(context, stream, ["m-5"]);
        for (let turns = 0; turns < 20; turns += 1) await turn();
        assert.equal(waited.settled, false, "handed over while paused");
        assert.equal(first?.ack(), true);
        await consumer.commit();
        consumer.resume();
        await eventually("the read goes on", () => waited.settled, { limitMs: context.limits.waitMs });
        assert.equal((await next).text(), "m-1");
        assert.deepEqual(texts(await take(consumer, 4, context.limits.waitMs)), numbered("m", 4, 2));
      },
    },
    {
      number: "86",
      title: "pause and resume in real time",
      needs: ["real-time"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        consumer.pause();
        const next = consumer.next();
        const waited = watch(next);
        await sendTo(context, stream, ["m"]);
        for (let turns = 0; turns < 20; turns += 1) await turn();
        assert.equal(waited.settled, false, "handed over while paused");
        consumer.resume();
        assert.equal((await next).text(), "m");
      },
    },
  ],
};
