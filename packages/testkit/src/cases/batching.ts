/** Case 68b: handlers of batches. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { eventuallyDone, member } from "./grouping.ts";
import { numbered, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const batching: Chapter = {
  title: "batches",
  cases: [
    {
      number: "68b",
      title: "hands batches over, each of at most maxMessages, in order, and acks them on return",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 25));
        const consumer = await member(context, stream);
        const batches: string[][] = [];
        const stop = new AbortController();
        const run = consumer.run((messages) => void batches.push(texts(messages)), {
          batch: { maxMessages: 10, maxWaitMs: 50 },
          signal: stop.signal,
        });
        await eventuallyDone(context, stream, 25, 25);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual(batches.flat(), numbered("m", 25));
        for (const batch of batches) assert.ok(batch.length >= 1 && batch.length <= 10, `a batch of ${batch.length}`);
        assert.ok(batches.length < 25, "no batch had two messages");
      },
    },
    {
      number: "68b",
      title: "settles a batch's messages one by one: those the handler settled stay so, the rest come again when it throws",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 6));
        const consumer = await member(context, stream);
        const seen: string[] = [];
        let first: readonly string[] | undefined;
        const stop = new AbortController();
        const run = consumer.run(
          (messages) => {
            seen.push(...texts(messages));
            if (first !== undefined) return;
            first = texts(messages);
            messages[0]?.ack();
            messages[1]?.term();
            throw new Error("the batch's own");
          },
          { batch: { maxMessages: 6, maxWaitMs: 500 }, retry: { backoff: () => 1 }, signal: stop.signal },
        );
        await eventuallyDone(context, stream, 6, 6);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.ok((first?.length ?? 0) > 2, `a first batch of ${first?.length}`);
        for (const text of numbered("m", 6)) {
          const times = seen.filter((each) => each === text).length;
          const index = first?.indexOf(text) ?? -1;
          assert.equal(times, index >= 2 ? 2 : 1, `${text} was handled ${times} times`);
        }
      },
    },
  ],
};
