/** Case 38: when messages count as done, by the broker's own word. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventuallyDone, GROUP, groupState, member } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { assertDone, assertLeft, NEVER_MS, tenMessages } from "./ten-messages.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const autoCommitting: Chapter = {
  title: "autoCommit",
  cases: [
    {
      number: "38",
      title: "on-next acks a message when the following one is asked for",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "on-next", autoCommitIntervalMs: NEVER_MS });
        for (const asked of [1, 2, 3, 4]) {
          await take(consumer, 1, context.limits.waitMs);
          await consumer.commit();
          await assertDone(context, stream, asked - 1, `after the read number ${asked}`);
        }
        await consumer.close();
        await assertDone(context, stream, 3, "close acks nothing that is not due");
        await assertLeft(context, stream, numbered("m", 7, 3));
      },
    },
    {
      number: "38",
      title: "on-next is the default, and lets the program settle by itself",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: undefined, autoCommitIntervalMs: NEVER_MS });
        const [first] = await take(consumer, 1, context.limits.waitMs);
        assert.equal(first?.ack(), true);
        await consumer.commit();
        await assertDone(context, stream, 1, "acked by the program before the next was asked for");
        await take(consumer, 2, context.limits.waitMs);
        await consumer.commit();
        await assertDone(context, stream, 2, "the first one counts once");
      },
    },
    {
      number: "38",
      title: "commits by itself each autoCommitIntervalMs",
      needs,
      async run(context) {
        for (const autoCommit of ["on-next", "rolling"] as const) {
          const { stream, consumer } = await tenMessages(context, { autoCommit, autoCommitIntervalMs: 50 });
          const messages = await take(consumer, 4, context.limits.waitMs);
          if (autoCommit === "rolling") for (const message of messages.slice(0, 3)) message.ack();
          await eventuallyDone(context, stream, 10, 3);
        }
      },
    },
    {
      number: "38",
      title: "immediate leaves nothing pending at the broker, and an ack of its messages does nothing",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "immediate", maxPrefetchMessages: 0 });
        const messages = await take(consumer, 4, context.limits.waitMs);
        assert.deepEqual(texts(messages), numbered("m", 4));
        messages[0]?.ack();
        await eventuallyDone(context, stream, 10, 4);
        const { pending } = await groupState(context, stream, 10);
        assert.ok(pending === undefined || pending === 0, `${pending} pending`);
        await consumer.close();
        await assertLeft(context, stream, numbered("m", 6, 4));
      },
    },
    {
      number: "38",
      title: "delayed acks a message autoCommitDelayMs after it was handed over",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, {
          autoCommit: "delayed",
          autoCommitDelayMs: 200,
          autoCommitIntervalMs: 20,
        });
        const before = performance.now();
        await take(consumer, 4, context.limits.waitMs);
        const { done } = await groupState(context, stream, 10);
        // Only if this was quicker than the delay does it say anything.
        if (performance.now() - before < 195) assert.equal(done, 0, "acked before its delay");
        await eventuallyDone(context, stream, 10, 4);
      },
    },
    {
      number: "38",
      title: "delayed acks on close only what is older than autoCommitDelayMs",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "delayed", autoCommitDelayMs: NEVER_MS });
        await take(consumer, 4, context.limits.waitMs);
        await consumer.commit();
        await assertDone(context, stream, 0, "before the delay");
        await consumer.close();
        await assertLeft(context, stream, numbered("m", 10));
      },
    },
    {
      number: "38",
      title: "rolling commits what the program acked: at the interval, in commit and on close",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "rolling", autoCommitIntervalMs: NEVER_MS });
        const messages = await take(consumer, 6, context.limits.waitMs);
        for (const message of messages.slice(0, 2)) message.ack();
        await assertDone(context, stream, 0, "neither the interval nor commit came");
        await consumer.commit();
        await assertDone(context, stream, 2, "after commit");
        consumer.ackMany(messages.slice(2, 5));
        await consumer.close();
        await assertDone(context, stream, 5, "after close");
        await assertLeft(context, stream, numbered("m", 5, 5));
      },
    },
    {
      number: "38",
      title: "disabled commits in commit only, and close drops the rest",
      needs,
      async run(context) {
        const { stream, consumer } = await tenMessages(context, { autoCommit: "disabled", autoCommitIntervalMs: 1 });
        const messages = await take(consumer, 6, context.limits.waitMs);
        consumer.ackMany(messages.slice(0, 2));
        await consumer.commit();
        await assertDone(context, stream, 2, "after commit");
        consumer.ackMany(messages.slice(2, 5));
        await consumer.close();
        await assertDone(context, stream, 2, "after close");
        await assertLeft(context, stream, numbered("m", 8, 2));
      },
    },
    {
      number: "38",
      title: "the broker's committed position is that of the last message with nothing open below it",
      needs: ["resumable", "groups", "settling", "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        const receipts = [];
        for (const text of numbered("m", 6)) receipts.push(await producer.send(text));
        const consumer = await member(context, stream, { mode: "resumable" });
        const messages = await take(consumer, 6, context.limits.waitMs);
        const committedAfter = async (...indexes: readonly number[]): Promise<bigint | undefined> => {
          for (const index of indexes) messages[index]?.ack();
          await consumer.commit();
          return (await context.streamer.admin.groupInfo(stream, GROUP)).shards[0]?.committed;
        };
        const first = await committedAfter(0, 1);
        // A backend that keeps no position says nothing.
        if (first === undefined) return;
        assert.equal(first, receipts[1]?.sequence);
        assert.equal(await committedAfter(3, 4), receipts[1]?.sequence, "the third is open");
        assert.equal(await committedAfter(2), receipts[4]?.sequence);
      },
    },
  ],
};
