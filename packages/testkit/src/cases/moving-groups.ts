/** Case 59: moving a group. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { failsWith } from "./expecting.ts";
import { GROUP, groupState, member, reader } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

export const movingGroups: Chapter = {
  title: "moving groups",
  cases: [
    {
      number: "59",
      title: "resetGroup moves a group: to the beginning, the end, a sequence, a time",
      needs: ["resumable", "groups", "settling", "admin.setGroup"],
      async run(context) {
        const stream = context.freshStream();
        const { admin } = context.streamer;
        const sequences = (await sendTo(context, stream, numbered("m", 6))).map(({ sequence }) => sequence);
        const read = async (count: number): Promise<string[]> => {
          const consumer = await reader(context, stream, { autoStreamReset: "latest" });
          assert.equal(consumer.start[0]?.origin, "committed");
          const messages = await take(consumer, count, context.limits.waitMs);
          consumer.ackMany(messages);
          await consumer.close();
          return texts(messages);
        };
        await admin.createGroup(stream, GROUP, "beginning");
        assert.deepEqual(await read(6), numbered("m", 6));
        await admin.resetGroup(stream, GROUP, "beginning");
        assert.deepEqual(await read(2), numbered("m", 2));
        await admin.resetGroup(stream, GROUP, { at: sequences[4] ?? 0n });
        assert.deepEqual(await read(2), numbered("m", 2, 4));
        await admin.resetGroup(stream, GROUP, { afterMs: 0 });
        assert.deepEqual(await read(1), ["m-0"]);
        await admin.resetGroup(stream, GROUP, "end");
        await sendTo(context, stream, ["after"]);
        assert.deepEqual(await read(1), ["after"]);
      },
    },
    {
      number: "59",
      title: "resetGroup with live members is group-in-use, and moves nothing",
      needs: ["load-balanced", "groups", "settling", "admin.setGroup"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 4));
        const consumer = await member(context, stream);
        const [first] = await take(consumer, 1, context.limits.waitMs);
        first?.ack();
        await consumer.commit();
        await failsWith("group-in-use", () => context.streamer.admin.resetGroup(stream, GROUP, "end"));
        assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), numbered("m", 3, 1));
        await consumer.close();
        await context.streamer.admin.resetGroup(stream, GROUP, "end");
        await sendTo(context, stream, ["after"]);
        assert.deepEqual(texts(await take(await member(context, stream), 1, context.limits.waitMs)), ["after"]);
      },
    },
    {
      number: "59",
      title: "resetGroup forgets what was pending: nothing of before it comes again",
      needs: ["load-balanced", "groups", "settling", "admin.setGroup", "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 4));
        const consumer = await member(context, stream);
        await take(consumer, 2, context.limits.waitMs);
        await consumer.close();
        await context.streamer.admin.resetGroup(stream, GROUP, "end");
        assert.equal((await groupState(context, stream, 4)).done, 4);
        await sendTo(context, stream, ["after"]);
        assert.deepEqual(texts(await take(await member(context, stream), 1, context.limits.waitMs)), ["after"]);
      },
    },
  ],
};
