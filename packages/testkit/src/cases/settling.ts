/** Cases 40 to 46: ack, nak, term, inProgress and commit. */
import assert from "node:assert/strict";
import type { Message, StreamError } from "@seaway/core";
import type { Settlement } from "@seaway/core/driver";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { abandon } from "../fault/abandon.ts";
import { faulty } from "../fault/faulty.ts";
import { interceptDriver } from "../fault/intercept-driver.ts";
import { overriding } from "../fault/overriding.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn } from "./expecting.ts";
import { blockEventLoop, eventuallyDone, gather, groupState, leases, member, timePasses } from "./grouping.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";

const needs = ["load-balanced", "groups", "settling"] as const;

async function send(context: CaseContext, streamKey: string, ...values: readonly string[]): Promise<void> {
  const producer = await context.streamer.createProducer(streamKey);
  const results = await producer.sendMany(values.map((value) => ({ value })));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await producer.close();
}

/** Node's timers may strike so much before their time. */
const TIMER_SLACK_MS = 5;

const settlements: readonly (readonly [name: string, settle: (message: Message<unknown>) => boolean])[] = [
  ["ack", (message) => message.ack()],
  ["nak", (message) => message.nak()],
  ["term", (message) => message.term()],
];

export const settling: Chapter = {
  title: "acknowledging",
  cases: [
    {
      number: "40",
      title: "nak redelivers, counted, until it is acked",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, "m");
        const consumer = await member(context, stream);
        for (const expected of [1, 2, 3, 4]) {
          const [message] = await take(consumer, 1, context.limits.waitMs);
          assert.equal(message?.text(), "m");
          assert.equal(message?.deliveryCount, expected);
          assert.equal(expected < 4 ? message?.nak() : message?.ack(), true);
        }
        await consumer.commit();
        await send(context, stream, "end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), []);
      },
    },
    {
      number: "40",
      title: "nak with a delay redelivers, and not before it; others come meanwhile",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, "delayed", "other");
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
        await send(context, stream, "m");
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
        await send(context, stream, "m");
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
        await send(context, stream, "m");
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
        await send(context, stream, "m");
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
        await send(context, stream, "m");
        const consumer = await member(context, stream, { ackTimeoutMs: 100 });
        const [first] = await take(consumer, 1, context.limits.waitMs);
        const [second] = await take(consumer, 1, context.limits.waitMs);
        assert.deepEqual([first?.deliveryCount, second?.deliveryCount], [1, 2]);
        assert.equal(second?.ack(), true);
      },
    },
    {
      number: "41",
      title: "term never redelivers, neither to this member nor to the next",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, ...numbered("m", 4));
        const consumer = await member(context, stream);
        const messages = await take(consumer, 4, context.limits.waitMs);
        assert.equal(messages[1]?.term("of no use"), true);
        assert.equal(messages[2]?.term(), true);
        messages[0]?.ack();
        messages[3]?.ack();
        await consumer.commit();
        await eventuallyDone(context, stream, 4, 4);
        await send(context, stream, "end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), []);
        await consumer.close();
        await send(context, stream, "end again");
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
        await send(context, stream, ...numbered("m", 9));
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
        await send(context, stream, ...numbered("m", 2));
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
        await send(context, stream, "m");
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
      number: "43",
      title: "a redelivery and its original are settled apart: after the original was lost",
      needs: [...needs, "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await send(context, stream, "m");
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
      number: "36b",
      title: "what a stalled member lost is not its own any more, and it steals nothing back",
      needs: [...needs, "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await send(context, stream, ...numbered("m", 4));
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
        await send(context, stream, ...numbered("m", 3));
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
      number: "44",
      title: "commit rejects while the broker is gone, every waiter with the same error, and the messages come again",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await send(context, stream, ...numbered("m", 4));
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
        await send(context, stream, ...numbered("m", 3));
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
      number: "45",
      title: "settling what the broker does not know any more is harmless",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, ...numbered("m", 6));
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
        await send(context, stream, ...numbered("m", 4));
        const consumer = await member(context, stream);
        const [first, second, ...rest] = await take(consumer, 4, context.limits.waitMs);
        await context.streamer.admin.trim(stream, "end");
        first?.ack();
        for (const message of rest) message.ack();
        await consumer.commit();
        await send(context, stream, "end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), []);
        await consumer.close();
        assert.equal(second?.ack(), false, "after close");
      },
    },
    {
      number: "46",
      title: "a thousand acks take at most five commands",
      needs: [...needs, "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, ...numbered("m", 1_000));
        let commands = 0;
        const isAck = ({ kind }: Settlement): boolean => kind === "ack" || kind === "ack-through";
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
        await send(context, stream, ...numbered("m", 1_000));
        let commands = 0;
        const counting = interceptDriver(context.harness.driver, {
          consumer: (consumer) =>
            overriding(consumer, {
              settle: (batch, call) => {
                commands += 1;
                return consumer.settle(batch, call);
              },
            }),
        });
        const streamer = await context.connectThrough(counting);
        const consumer = await member(context, stream, { streamer, autoCommit: "on-next", autoCommitIntervalMs: 600_000 });
        await take(consumer, 1_000, context.limits.waitMs);
        await consumer.commit();
        assert.ok(commands >= 1 && commands <= 5, `${commands} commands`);
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
        await send(context, stream, "m");
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
