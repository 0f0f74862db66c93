/** Cases 41 to 43 and 45: ack, term, and settling what may not be settled. */
import assert from "node:assert/strict";
import type { Message } from "@seaway/core";
import type { Chapter } from "../conformance/conformance-case.ts";
import { interceptDriver } from "../fault/intercept-driver.ts";
import { overriding } from "../fault/overriding.ts";
import { eventuallyDone, groupState, member } from "./grouping.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling"] as const;

const settlements: readonly (readonly [name: string, settle: (message: Message<unknown>) => boolean])[] = [
  ["ack", (message) => message.ack()],
  ["nak", (message) => message.nak()],
  ["term", (message) => message.term()],
];

export const settling: Chapter = {
  title: "settling",
  cases: [
    {
      number: "41",
      title: "term never redelivers, neither to this member nor to the next",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 4));
        const consumer = await member(context, stream);
        const messages = await take(consumer, 4, context.limits.waitMs);
        assert.equal(messages[1]?.term("of no use"), true);
        assert.equal(messages[2]?.term(), true);
        messages[0]?.ack();
        messages[3]?.ack();
        await consumer.commit();
        await eventuallyDone(context, stream, 4, 4);
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), []);
        await consumer.close();
        await sendTo(context, stream, ["end again"]);
        const next = await member(context, stream);
        const ends = texts(await takeUpTo(next, "end again", context.limits.waitMs));
        assert.ok(!ends.some((text) => text.startsWith("m-")), `came again: ${ends.join(", ")}`);
      },
    },
    {
      number: "42",
      title: "settling twice is a TypeError, whichever way",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 9));
        const consumer = await member(context, stream);
        for (const [firstName, first] of settlements) {
          for (const [secondName, second] of settlements) {
            const [message] = await take(consumer, 1, context.limits.waitMs);
            assert.ok(message !== undefined);
            assert.equal(first(message), true);
            assert.throws(() => second(message), TypeError, `${firstName}, then ${secondName}`);
          }
        }
      },
    },
    {
      number: "42",
      title: "settling twice is a TypeError also after the broker has the first one",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 2));
        const consumer = await member(context, stream);
        const [acked, terminated] = await take(consumer, 2, context.limits.waitMs);
        acked?.ack();
        terminated?.term();
        await consumer.commit();
        for (const message of [acked, terminated]) assert.throws(() => message?.ack(), TypeError);
        assert.throws(() => consumer.ackMany(acked === undefined ? [] : [acked]), TypeError);
      },
    },
    {
      number: "43",
      title: "a redelivery and its original are settled apart: after a nak",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const consumer = await member(context, stream);
        const [original] = await take(consumer, 1, context.limits.waitMs);
        original?.nak();
        const [again] = await take(consumer, 1, context.limits.waitMs);
        assert.throws(() => original?.ack(), TypeError);
        assert.equal(again?.inProgress(), true, "the original's settling touched the redelivery");
        assert.equal(again?.nak(), true);
        const [third] = await take(consumer, 1, context.limits.waitMs);
        assert.equal(third?.deliveryCount, 3);
        assert.equal(third?.ack(), true);
      },
    },
    {
      number: "45",
      title: "settling what the broker does not know any more is harmless",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 6));
        // Everything is told twice: the second time it is unknown.
        const twice = interceptDriver(context.harness.driver, {
          consumer: (consumer) =>
            overriding(consumer, {
              settle: async (batch, call) => {
                const outcomes = await consumer.settle(batch, call);
                const again = await consumer.settle(batch, call);
                assert.equal(again.length, batch.length);
                return outcomes;
              },
            }),
        });
        const consumer = await member(context, stream, { streamer: await context.connectThrough(twice) });
        const messages = await take(consumer, 6, context.limits.waitMs);
        for (const message of messages.slice(0, 3)) message.ack();
        messages[3]?.term();
        await consumer.commit();
        assert.equal((await groupState(context, stream, 6)).done, 4);
        await consumer.close();
        const next = await member(context, stream);
        const left = await take(next, 2, context.limits.waitMs);
        assert.deepEqual(texts(left).sort(), numbered("m", 2, 4));
        for (const message of left) assert.equal(message.ack(), true);
        await next.commit();
        assert.equal((await groupState(context, stream, 6)).done, 6);
      },
    },
    {
      number: "45",
      title: "settling after close, and after the messages were removed, changes nothing",
      needs: [...needs, "admin.trim"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 4));
        const consumer = await member(context, stream);
        const [first, second, ...rest] = await take(consumer, 4, context.limits.waitMs);
        await context.streamer.admin.trim(stream, "end");
        first?.ack();
        for (const message of rest) message.ack();
        await consumer.commit();
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), []);
        await consumer.close();
        assert.equal(second?.ack(), false, "after close");
      },
    },
  ],
};
