/** Cases 35, 36b and 65, and what of 38 and 43 is about leases: what is held stays held, and what was lost is not ours any more. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { assertSameSet } from "./expecting.ts";
import { blockEventLoop, eventuallyDone, groupState, leases, member, startGathering, textsOf, timePasses } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { finish, start } from "./runs.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const holding: Chapter = {
  title: "leases",
  cases: [
    {
      number: "35",
      title: "a message in progress is not stolen",
      needs: ["load-balanced", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, ["m"]);
        const working = await member(context, stream, { ...options, streamer: await context.connect() });
        const [message] = await take(working, 1, context.limits.waitMs);
        // It is a member like any other: what is sent later should go to the one that watches.
        working.pause();
        const idle = await member(context, stream, options);
        const watching = startGathering(context, [idle]);
        for (let part = 0; part < 12; part += 1) {
          await timePasses(leaseMs / 4, context);
          assert.equal(message?.inProgress(), true, `after ${(part + 1) / 4} leases`);
        }
        assert.equal(message?.ack(), true);
        await working.commit();
        await sendTo(context, stream, ["end"]);
        await watching.until("the last message", () => textsOf(watching.all).includes("end"));
        assert.deepEqual(textsOf(await watching.stop()), ["end"]);
      },
    },
    {
      number: "35",
      title: "what waits behind a slow handler comes once, however long it waits",
      needs: ["load-balanced", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, numbered("m", 30));
        const slow = await member(context, stream, { ...options, streamer: await context.connect(), maxPrefetchMessages: 30 });
        const first = await take(slow, 1, context.limits.waitMs);
        const other = await member(context, stream, options);
        const gathering = startGathering(context, [other]);
        await timePasses(leaseMs * 3, context);
        assert.equal(first[0]?.ack(), true, "the slow handler's own message was lost");
        // Whether the rest waited or was given to the other one meanwhile: each comes once, and none was delivered in vain.
        gathering.add(slow);
        await gathering.until("the rest", () => gathering.all.length >= 29);
        await sendTo(context, stream, ["end"]);
        await gathering.until("the last message", () => textsOf(gathering.all).includes("end"));
        const all = await gathering.stop();
        assertSameSet([...texts(first), ...textsOf(all)], [...numbered("m", 30), "end"]);
        for (const { message } of all) {
          if (context.capabilities.nak !== "native") assert.equal(message.deliveryCount, 1, message.text());
        }
      },
    },
    {
      number: "65",
      title: "a slow handler keeps its message, and those behind it wait",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, numbered("m", 10));
        const slow = await member(context, stream, { ...options, streamer: await context.connect() });
        const handled: string[] = [];
        const started = Promise.withResolvers<void>();
        const run = start(slow, async (message, { signal }) => {
          handled.push(message.text());
          if (handled.length > 1) return;
          started.resolve();
          await timePasses(leaseMs * 3, context);
          assert.equal(signal.aborted, false);
        });
        await within(started.promise, context.limits.waitMs, "the first handler");
        const beside = startGathering(context, [await member(context, stream, options)]);
        await eventuallyDone(context, stream, 10, 10);
        await finish(context, run);
        const others = texts((await beside.stop()).map(({ message }) => message));
        assert.deepEqual([...handled, ...others].sort(), numbered("m", 10));
        assert.equal(handled[0], "m-0");
      },
    },
    {
      number: "36b",
      title: "what a stalled member lost is not its own any more, and it steals nothing back",
      needs: [...needs, "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, numbered("m", 4));
        const stalled = await member(context, stream, { ...options, streamer: await context.connect(), maxPrefetchMessages: 4 });
        const held = await take(stalled, 4, context.limits.waitMs);
        stalled.pause();
        const other = await member(context, stream, options);
        blockEventLoop(leaseMs * 3);
        const [acked, nacked, extended, terminated] = held;
        assert.deepEqual([acked?.ack(), nacked?.nak(), extended?.inProgress(), terminated?.term()], [false, false, false, false]);
        const messages = await take(other, 4, context.limits.waitMs);
        assert.deepEqual(texts(messages).sort(), numbered("m", 4));
        await stalled.commit();
        assert.equal((await groupState(context, stream, 4)).done, 0);
        for (const message of messages) assert.equal(message.ack(), true, "it was stolen back");
        await other.commit();
        assert.equal((await groupState(context, stream, 4)).done, 4);
      },
    },
    {
      number: "36b",
      title: "aborts the handler of a member that was stalled, before its result counts",
      needs: [...needs, "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, numbered("m", 3));
        const consumer = await member(context, stream, { ...options, streamer: await context.connect() });
        const counted: string[] = [];
        let aborted: boolean | undefined;
        const stop = new AbortController();
        const running = consumer.run(
          async (message, { signal }) => {
            if (aborted === undefined) {
              aborted = false;
              blockEventLoop(leaseMs * 3);
              await eventually("the handler's signal aborts", () => signal.aborted, { limitMs: context.limits.waitMs });
              aborted = true;
              return;
            }
            counted.push(message.text());
          },
          { signal: stop.signal },
        );
        await eventuallyDone(context, stream, 3, 3);
        stop.abort();
        await within(running, context.limits.waitMs, "the end of run");
        assert.equal(aborted, true);
        assert.deepEqual([...counted].sort(), numbered("m", 3), "each is handled by somebody who held it");
        assert.ok(
          context.events.some((event) => event.code === "event-loop-stalled"),
          "the stall is published",
        );
      },
    },
    {
      number: "43",
      title: "a redelivery and its original are settled apart: after the original was lost",
      needs: [...needs, "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, ["m"]);
        // Held for longer than it is kept alive, it is lost here and comes again: to the same member.
        const consumer = await member(context, stream, { ...options, keepAliveMs: leaseMs });
        const [original] = await take(consumer, 1, context.limits.waitMs);
        const [again] = await take(consumer, 1, context.limits.waitMs);
        assert.equal(again?.text(), "m");
        assert.equal(original?.ack(), false, "the original was lost");
        assert.equal(original?.nak(), false);
        assert.equal(original?.inProgress(), false);
        await consumer.commit();
        assert.equal((await groupState(context, stream, 1)).done, 0, "the original's ack settled the redelivery");
        assert.equal(again?.ack(), true);
        await consumer.commit();
        assert.equal((await groupState(context, stream, 1)).done, 1);
      },
    },
    {
      number: "38",
      title: "keepAliveMs is how long a message may be held: then it is lost, with an event",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendTo(context, stream, ["m"]);
        const holding = await member(context, stream, { ...options, streamer: await context.connect(), keepAliveMs: leaseMs * 2 });
        const [message] = await take(holding, 1, context.limits.waitMs);
        holding.pause();
        const other = await member(context, stream, options);
        assert.deepEqual(texts(await take(other, 1, context.limits.waitMs)), ["m"]);
        assert.equal(message?.ack(), false);
        assert.ok(
          context.events.some((event) => event.code === "message-lost"),
          "the loss is published",
        );
        await timePasses(1, context);
      },
    },
  ],
};
