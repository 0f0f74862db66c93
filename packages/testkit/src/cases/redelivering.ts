/** Case 40: nak. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { abandon } from "../fault/abandon.ts";
import { gather, groupState, leases, member } from "./grouping.ts";
import { take, takeUpTo, texts } from "./reading.ts";
import { TIMER_SLACK_MS } from "./runs.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling"] as const;

export const redelivering: Chapter = {
  title: "redelivering",
  cases: [
    {
      number: "40",
      title: "nak redelivers, counted, until it is acked",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const consumer = await member(context, stream);
        for (const expected of [1, 2, 3, 4]) {
          const [message] = await take(consumer, 1, context.limits.waitMs);
          assert.equal(message?.text(), "m");
          assert.equal(message?.deliveryCount, expected);
          assert.equal(expected < 4 ? message?.nak() : message?.ack(), true);
        }
        await consumer.commit();
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), []);
      },
    },
    {
      number: "40",
      title: "nak with a delay redelivers, and not before it; others come meanwhile",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["delayed", "other"]);
        const consumer = await member(context, stream);
        const [delayed] = await take(consumer, 1, context.limits.waitMs);
        const before = performance.now();
        assert.equal(delayed?.nak({ delayMs: 300 }), true);
        const [other] = await take(consumer, 1, context.limits.waitMs);
        other?.ack();
        const [again] = await take(consumer, 1, context.limits.waitMs);
        const passed = performance.now() - before;
        assert.deepEqual([other?.text(), again?.text(), again?.deliveryCount], ["other", "delayed", 2]);
        assert.ok(passed >= 300 - TIMER_SLACK_MS, `came again after ${passed} ms`);
      },
    },
    {
      number: "40",
      title: "a nak'ed message is kept back for its delay longer than a lease, and comes once",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, ["m"]);
        const consumer = await member(context, stream, { ...options, streamer: await context.connect() });
        const other = await member(context, stream, options);
        const [message] = await take(consumer, 1, context.limits.waitMs);
        const before = performance.now();
        const delayMs = leaseMs * 2;
        message?.nak({ delayMs });
        const [again] = await gather(context, [consumer, other], 1);
        const passed = performance.now() - before;
        assert.ok(passed >= delayMs - TIMER_SLACK_MS, `came again after ${passed} of ${delayMs} ms`);
        assert.equal(again?.message.deliveryCount, 2);
      },
    },
    {
      number: "40",
      title: "a member that closes hands its nak'ed messages over at once",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context, { idleMs: 60_000, intervalMs: 50 });
        await sendTo(context, stream, ["m"]);
        const closing = await member(context, stream, options);
        const [message] = await take(closing, 1, context.limits.waitMs);
        message?.nak({ delayMs: 600_000 });
        await closing.close();
        const [again] = await take(await member(context, stream, options), 1, context.limits.waitMs);
        assert.equal(again?.text(), "m");
      },
    },
    {
      number: "40",
      title: "a member that dies loses none of its nak'ed messages",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendTo(context, stream, ["m"]);
        const dying = await member(context, stream, { ...options, streamer: await context.connect() });
        const [message] = await take(dying, 1, context.limits.waitMs);
        message?.nak({ delayMs: 600_000 });
        await abandon(dying);
        const [again] = await take(await member(context, stream, options), 1, context.limits.waitMs);
        assert.equal(again?.text(), "m");
      },
    },
    {
      number: "40",
      title: "keeps the count of a nak over its member's death",
      needs: [...needs, "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendTo(context, stream, ["m"]);
        const first = await member(context, stream, { ...options, streamer: await context.connect() });
        for (const _ of [1, 2]) for (const message of await take(first, 1, context.limits.waitMs)) message.nak();
        const [third] = await take(first, 1, context.limits.waitMs);
        assert.equal(third?.deliveryCount, 3);
        const counted = (await groupState(context, stream, 1)).pending !== undefined;
        // What core redelivers is written behind the handing over: the broker must have it before the member dies.
        await first.commit();
        await abandon(first);
        const [fourth] = await take(await member(context, stream, options), 1, context.limits.waitMs);
        if (counted) assert.equal(fourth?.deliveryCount, 4);
      },
    },
    {
      number: "40",
      title: "ackTimeoutMs naks by itself what nobody settled",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, ["m"]);
        const consumer = await member(context, stream, { ackTimeoutMs: 100 });
        const [first] = await take(consumer, 1, context.limits.waitMs);
        const [second] = await take(consumer, 1, context.limits.waitMs);
        assert.deepEqual([first?.deliveryCount, second?.deliveryCount], [1, 2]);
        assert.equal(second?.ack(), true);
      },
    },
  ],
};
