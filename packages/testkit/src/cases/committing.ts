/** Cases 44 and 46: commits that fail, and how many commands they take. */
import assert from "node:assert/strict";
import type { StreamError } from "@seaway/core";
import type { Settlement } from "@seaway/core/driver";
import type { Chapter } from "../conformance/conformance-case.ts";
import { faulty } from "../fault/faulty.ts";
import { interceptDriver } from "../fault/intercept-driver.ts";
import { overriding } from "../fault/overriding.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn } from "./expecting.ts";
import { groupState, leases, member } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling"] as const;

function isAck({ kind }: Settlement): boolean {
  return kind === "ack" || kind === "ack-through";
}

export const committing: Chapter = {
  title: "committing",
  cases: [
    {
      number: "44",
      title: "commit rejects while the broker is gone, every waiter with the same error, and the messages come again",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendTo(context, stream, numbered("m", 4));
        const driver = faulty(context.harness.driver);
        const streamer = await context.connect({ ...context.harness.connect, drivers: [driver], timeoutMs: 500 });
        const consumer = await member(context, stream, { ...options, streamer, autoCommitIntervalMs: 600_000 });
        const messages = await take(consumer, 4, context.limits.waitMs);
        consumer.ackMany(messages.slice(0, 2));
        await consumer.commit();
        consumer.ackMany(messages.slice(2));
        driver.disconnect();
        const reasonOf = (commit: Promise<void>): Promise<StreamError | undefined> =>
          commit.then(
            () => undefined,
            (error: StreamError) => error,
          );
        const reasons = await within(Promise.all([1, 2, 3].map(() => reasonOf(consumer.commit()))), context.limits.waitMs, "the commits");
        assert.ok(reasons[0] !== undefined, "the commit did not fail");
        assert.equal(reasons[0].retryable, true);
        for (const reason of reasons) assert.equal(reason, reasons[0]);
        driver.reconnect();
        await consumer.close().catch(() => undefined);
        const again = await take(await member(context, stream, options), 2, context.limits.waitMs);
        assert.deepEqual(texts(again).sort(), numbered("m", 2, 2));
      },
    },
    {
      number: "44",
      title: "tells a failed commit in the background to whoever reads next",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        const broken = faulty(context.harness.driver, { plan: { settle: [{ fault: "fail-before", times: 1, retryable: false }] } });
        const consumer = await member(context, stream, { streamer: await context.connectThrough(broken), autoCommitIntervalMs: 20 });
        const messages = await take(consumer, 3, context.limits.waitMs);
        messages[0]?.ack();
        await eventually("the commit was tried", () => broken.calls("settle") > 0, { limitMs: context.limits.waitMs });
        await turn();
        await failsWith("backend", () => within(consumer.next(), context.limits.waitMs, "the failure of the background commit"));
        messages[1]?.ack();
        await consumer.commit();
      },
    },
    {
      number: "46",
      title: "a thousand acks take at most five commands",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 1_000));
        let commands = 0;
        const counting = interceptDriver(context.harness.driver, {
          consumer: (consumer) =>
            overriding(consumer, {
              settle: (batch, call) => {
                if (batch.some(isAck)) commands += 1;
                return consumer.settle(batch, call);
              },
            }),
        });
        const consumer = await member(context, stream, {
          streamer: await context.connectThrough(counting),
          autoCommitIntervalMs: 600_000,
          maxPrefetchMessages: 1_000,
        });
        for (const message of await take(consumer, 1_000, context.limits.waitMs)) message.ack();
        await consumer.commit();
        assert.ok(commands >= 1 && commands <= 5, `${commands} commands`);
        assert.equal((await groupState(context, stream, 1_000)).done, 1_000);
      },
    },
    {
      number: "46",
      title: "a loop in on-next does not tell the broker of each message",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 1_000));
        let commands = 0;
        const counting = interceptDriver(context.harness.driver, {
          consumer: (consumer) =>
            overriding(consumer, {
              settle: (batch, call) => {
                if (batch.some(isAck)) commands += 1;
                return consumer.settle(batch, call);
              },
            }),
        });
        const streamer = await context.connectThrough(counting);
        const consumer = await member(context, stream, { streamer, autoCommit: "on-next", autoCommitIntervalMs: 600_000 });
        // Each message's work takes a while, so that its ack is alone.
        for (let count = 0; count < 1_000; count += 1) {
          await take(consumer, 1, context.limits.waitMs);
          await turn();
        }
        await consumer.commit();
        assert.ok(commands >= 1 && commands <= 5, `${commands} commands`);
      },
    },
  ],
};
