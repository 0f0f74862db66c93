/** Case 60: `run`: what a handler's end means for its message. */
import assert from "node:assert/strict";
import { NonRetryableError } from "@seaway/core";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { failsWith, turn } from "./expecting.ts";
import { eventuallyDone, groupState, member, timePasses } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { finish, start, TIMER_SLACK_MS } from "./runs.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const running: Chapter = {
  title: "running",
  cases: [
    {
      number: "60",
      title: "acks when the handler returns, whether at once or later",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 20));
        const handled: string[] = [];
        const run = start(await member(context, stream), (message) => {
          if (message.sequence % 2n === 0n) return turn().then(() => void handled.push(message.text()));
          return handled.push(message.text());
        });
        await eventuallyDone(context, stream, 20, 20);
        await finish(context, run);
        assert.deepEqual(handled, numbered("m", 20));
      },
    },
    {
      number: "60",
      title: "settles by itself under on-next, delayed and rolling; disabled is refused",
      needs,
      async run(context) {
        for (const autoCommit of ["on-next", "delayed", "rolling"] as const) {
          const stream = context.freshStream();
          await sendTo(context, stream, numbered("m", 3));
          const consumer = await member(context, stream, { autoCommit, autoCommitDelayMs: 1, autoCommitIntervalMs: 10 });
          const release = Promise.withResolvers<void>();
          const run = start(consumer, (message) => (message.text() === "m-1" ? release.promise : undefined));
          await eventuallyDone(context, stream, 3, 1);
          // It is neither acked for its age nor because the next is asked for.
          await timePasses(30, context);
          assert.equal((await groupState(context, stream, 3)).done, 1, autoCommit);
          release.resolve();
          await eventuallyDone(context, stream, 3, 3);
          await finish(context, run);
        }
        const disabled = await member(context, context.freshStream(), { autoCommit: "disabled" });
        await failsWith("invalid-option", () => disabled.run(() => undefined));
      },
    },
    {
      number: "60",
      title: "under immediate a failing handler's message comes again from here",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const counts: number[] = [];
        const run = start(
          await member(context, stream, { autoCommit: "immediate" }),
          (message) => {
            counts.push(message.deliveryCount);
            if (counts.length < 3) throw new Error("not yet");
          },
          { retry: { backoff: () => 1 } },
        );
        await eventually("the third delivery", () => counts.length >= 3, { limitMs: context.limits.waitMs });
        await finish(context, run);
        assert.deepEqual(counts, [1, 2, 3]);
      },
    },
    {
      number: "60",
      title: "naks with backoff when the handler throws, never sooner, and goes on with others meanwhile",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["failing", "other"]);
        const starts: number[] = [];
        const counts: number[] = [];
        const order: string[] = [];
        const errors: unknown[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            order.push(message.text());
            if (message.text() !== "failing") return;
            starts.push(performance.now());
            counts.push(message.deliveryCount);
            if (starts.length <= 3) throw new Error(`failure ${starts.length}`);
          },
          { retry: { backoff: (deliveries) => deliveries * 100 }, onError: (error) => errors.push(error) },
        );
        await eventuallyDone(context, stream, 2, 2);
        await finish(context, run);
        assert.deepEqual(counts, [1, 2, 3, 4]);
        assert.deepEqual(order.slice(0, 2), ["failing", "other"]);
        for (const [index, least] of [100, 200, 300].entries()) {
          const gap = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
          assert.ok(gap >= least - TIMER_SLACK_MS, `delivery ${index + 2} came after ${gap} ms, not ${least}`);
        }
        assert.deepEqual(
          errors.map((error) => (error instanceof Error ? error.message : error)),
          [1, 2, 3].map((count) => `failure ${count}`),
        );
      },
    },
    {
      number: "60",
      title: "never retries in a hot loop: the default backoff is about a second",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const starts: number[] = [];
        const run = start(await member(context, stream), () => {
          starts.push(performance.now());
          if (starts.length === 1) throw new Error("once");
        });
        await eventually("the second delivery", () => starts.length >= 2, { limitMs: context.limits.waitMs });
        await finish(context, run);
        assert.ok((starts[1] ?? 0) - (starts[0] ?? 0) >= 500 - TIMER_SLACK_MS);
      },
    },
    {
      number: "60",
      title: "what the handler settled itself stays so",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["acked", "nak'ed", "terminated", "last"]);
        const handled: string[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            handled.push(message.text());
            if (message.text() === "acked") {
              message.ack();
              throw new Error("after its ack");
            }
            if (message.text() === "nak'ed" && message.deliveryCount === 1) message.nak();
            if (message.text() === "terminated") message.term();
          },
          { retry: { backoff: () => 1 } },
        );
        await eventuallyDone(context, stream, 4, 4);
        await finish(context, run);
        const times = (text: string): number => handled.filter((each) => each === text).length;
        assert.deepEqual([times("acked"), times("nak'ed"), times("terminated"), times("last")], [1, 2, 1, 1]);
      },
    },
    {
      number: "60",
      title: "retries for ever without a dead letter; maxDeliveries without one is invalid-option",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const consumer = await member(context, stream);
        await failsWith("invalid-option", () => consumer.run(() => undefined, { retry: { maxDeliveries: 2 } }));
        let count = 0;
        const run = start(
          consumer,
          () => {
            count += 1;
            throw count % 2 === 0 ? new NonRetryableError("it says so") : new Error("again");
          },
          { retry: { backoff: () => 0 } },
        );
        await eventually("twelve deliveries", () => count >= 12, { limitMs: context.limits.waitMs });
        await finish(context, run);
        await consumer.close();
        assert.deepEqual(texts(await take(await member(context, stream), 1, context.limits.waitMs)), ["m"]);
      },
    },
    {
      number: "60",
      title: "runs middleware around the handler, and its failure counts",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const steps: string[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            steps.push(`handler ${message.deliveryCount}`);
          },
          {
            retry: { backoff: () => 1 },
            middleware: [
              async (message, next) => {
                steps.push("first");
                await next();
                steps.push("first, after");
                if (message.deliveryCount === 1) throw new Error("the middleware's own");
              },
              async (_, next) => {
                steps.push("second");
                await next();
              },
            ],
          },
        );
        await eventuallyDone(context, stream, 1, 1);
        await finish(context, run);
        assert.deepEqual(steps, ["first", "second", "handler 1", "first, after", "first", "second", "handler 2", "first, after"]);
      },
    },
    {
      number: "60",
      title: "a handler over handlerTimeoutMs is aborted and its message comes again; its late return is ignored",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const late = Promise.withResolvers<void>();
        const counts: number[] = [];
        let aborted = false;
        const errors: unknown[] = [];
        const second = Promise.withResolvers<void>();
        const run = start(
          await member(context, stream, { autoCommitIntervalMs: 10 }),
          async (message, { signal }) => {
            counts.push(message.deliveryCount);
            if (counts.length > 1) return second.promise;
            signal.addEventListener("abort", () => {
              aborted = true;
            });
            await late.promise;
          },
          { concurrency: 2, handlerTimeoutMs: 200, retry: { backoff: () => 1 }, onError: (error) => errors.push(error) },
        );
        await eventually("the second delivery", () => counts.length === 2, { limitMs: context.limits.waitMs });
        assert.equal(aborted, true);
        assert.equal(errors.length, 1);
        late.resolve();
        for (let turns = 0; turns < 10; turns += 1) await turn();
        assert.equal((await groupState(context, stream, 1)).done, 0, "the late return acked the message");
        second.resolve();
        await eventuallyDone(context, stream, 1, 1);
        await finish(context, run);
        assert.deepEqual(counts, [1, 2]);
      },
    },
  ],
};
