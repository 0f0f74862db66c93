/** Case 39: work that ends before its message is done. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { member } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { assertDone, assertLeft, tenMessages } from "./ten-messages.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const leavingLoops: Chapter = {
  title: "leaving loops",
  cases: [
    {
      number: "39",
      title: "a throw inside the loop leaves that message un-acked, and all before it acked",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "on-next" });
        const loop = async (): Promise<void> => {
          let count = 0;
          for await (const message of consumer.stream()) {
            count += 1;
            if (count === 4) throw new Error(`the loop's own, at ${message.text()}`);
          }
        };
        await assert.rejects(within(loop(), context.limits.waitMs, "the loop"), /the loop's own/);
        await consumer.close();
        await assertDone(context, stream, 3, "after close");
        await assertLeft(context, stream, numbered("m", 7, 3));
      },
    },
    {
      number: "39",
      title: "a break leaves its message un-acked, and neither a new loop nor next() acks it",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "on-next" });
        const loop = async (until: number): Promise<void> => {
          let count = 0;
          for await (const _ of consumer) {
            count += 1;
            if (count === until) break;
          }
        };
        await within(loop(3), context.limits.waitMs, "the first loop");
        await consumer.commit();
        await assertDone(context, stream, 2, "after the first loop");
        await within(loop(2), context.limits.waitMs, "the second loop");
        await consumer.commit();
        await assertDone(context, stream, 3, "after the second loop");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m-5"]);
        await consumer.commit();
        await assertDone(context, stream, 3, "after a next() that follows a loop");
        await consumer.close();
        await assertLeft(context, stream, ["m-2", ...numbered("m", 6, 4)]);
      },
    },
    {
      number: "39",
      title: "work that throws under await using comes back",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "on-next" });
        await consumer.close();
        const work = async (): Promise<void> => {
          await using own = await member(context, stream, { autoCommit: "on-next" });
          await own.next();
          await own.next();
          throw new Error("the work's own");
        };
        await assert.rejects(within(work(), context.limits.waitMs, "the work"), /the work's own/);
        await assertDone(context, stream, 1, "after disposal");
        await assertLeft(context, stream, numbered("m", 9, 1));
      },
    },
    {
      number: "39",
      title: "readable refuses on-next in a group, and serves rolling",
      needs: ["load-balanced", "groups", "settling"],
      async run(context) {
        const { consumer } = await tenMessages(context, { autoCommit: "on-next" });
        await failsWith(["invalid-option", "unsupported"], () => consumer.readable());
        const rolling = await member(context, context.freshStream());
        await rolling.readable().cancel();
      },
    },
  ],
};
