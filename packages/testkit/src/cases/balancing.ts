/** Cases 29 to 36 and 37: members that share a stream. */
import assert from "node:assert/strict";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { openDyingMember } from "./dying.ts";
import { failsWith, turn } from "./expecting.ts";
import { type Gathered, gather, groupState, leases, member, shardsFor, startGathering, timePasses } from "./grouping.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";

async function sendMany(context: CaseContext, streamKey: string, values: readonly string[], shards?: number): Promise<void> {
  const producer = await context.streamer.createProducer(streamKey, shards === undefined ? {} : { shards });
  const results = await producer.sendMany(values.map((value) => ({ value })));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await producer.close();
}

function textsOf(gathered: readonly Gathered[]): string[] {
  return texts(gathered.map(({ message }) => message));
}

/** Each exactly once, in whatever order. */
function assertSameSet(actual: readonly string[], expected: readonly string[]): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
}

export const balancing: Chapter = {
  title: "load-balanced",
  cases: [
    {
      number: "29",
      title: "requires a group",
      needs: ["load-balanced"],
      async run(context) {
        await failsWith("group-not-set", () => context.streamer.createConsumer(context.freshStream(), { mode: "load-balanced" }));
      },
    },
    {
      number: "30",
      title: "two members share all messages, none gets what the other got",
      needs: ["load-balanced"],
      async run(context) {
        const stream = context.freshStream();
        const shards = shardsFor(context, 4);
        await context.streamer.createProducer(stream, { shards });
        const members = [
          await member(context, stream, { autoStreamReset: "latest" }),
          await member(context, stream, { autoStreamReset: "latest", streamer: await context.connect() }),
        ];
        const reading = gather(context, members, 2_000);
        await sendMany(context, stream, numbered("m", 2_000));
        const gathered = await reading;
        assertSameSet(textsOf(gathered), numbered("m", 2_000));
        for (const index of [0, 1])
          assert.ok(
            gathered.some((each) => each.member === index),
            `member ${index} got nothing`,
          );
      },
    },
    {
      number: "31",
      title: "two groups each get everything",
      needs: ["load-balanced"],
      async run(context) {
        const stream = context.freshStream();
        const consumers = [
          await member(context, stream, { autoStreamReset: "latest", group: "first" }),
          await member(context, stream, { autoStreamReset: "latest", group: "second" }),
        ];
        await sendMany(context, stream, numbered("m", 200));
        for (const consumer of consumers) {
          const messages = await take(consumer, 200, context.limits.waitMs);
          assertSameSet(texts(messages), numbered("m", 200));
          for (const message of messages) message.ack();
        }
      },
    },
    {
      number: "32",
      title: "the others get what a dead member had, after the claim time, and it is counted",
      needs: ["load-balanced", "groups", "settling", "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendMany(context, stream, numbered("m", 10));
        const dying = await openDyingMember(context, { mode: "load-balanced", streamKey: stream, take: 5, commit: 2, options });
        const counted = (await groupState(context, stream, 10)).pending !== undefined;
        await dying.die();
        const heir = await member(context, stream, options);
        const messages = await take(heir, 8, context.limits.waitMs);
        assertSameSet(texts(messages), numbered("m", 8, 2));
        for (const message of messages) {
          if (counted && dying.taken.includes(message.text()))
            assert.ok(message.deliveryCount >= 2, `${message.text()}: ${message.deliveryCount}`);
          assert.equal(message.ack(), true);
        }
        await heir.commit();
        await sendMany(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(heir, "end", context.limits.waitMs)), []);
      },
    },
    {
      number: "33",
      title: "a member that closes gives back what it had not read: the others have it long before any lease passes",
      needs: ["load-balanced", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context, { idleMs: 60_000, intervalMs: 500 });
        await sendMany(context, stream, numbered("m", 50), shardsFor(context, 2));
        const closing = await member(context, stream, { ...options, streamer: await context.connect(), maxPrefetchMessages: 50 });
        const held = await take(closing, 3, context.limits.waitMs);
        held[0]?.ack();
        // Open before the other one closes: it must notice by itself.
        const other = await member(context, stream, options);
        const rest = gather(context, [other], 49);
        rest.catch(() => undefined);
        await turn();
        await closing.close();
        const gathered = await rest;
        assertSameSet(
          textsOf(gathered),
          numbered("m", 50).filter((text) => text !== held[0]?.text()),
        );
        if (context.capabilities.nak === "native") return;
        const wasHeld = texts(held);
        for (const { message } of gathered) {
          if (!wasHeld.includes(message.text()))
            assert.equal(message.deliveryCount, 1, `${message.text()}: what nobody read is not counted`);
        }
      },
    },
    {
      number: "33",
      title: "a member that closes counts what it had handed over",
      needs: ["load-balanced", "groups", "settling", "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context, { idleMs: 60_000, intervalMs: 500 });
        await sendMany(context, stream, ["m"]);
        for (const expected of [1, 2, 3]) {
          const consumer = await member(context, stream, options);
          const [message] = await take(consumer, 1, context.limits.waitMs);
          const counted = (await groupState(context, stream, 1)).pending !== undefined;
          assert.equal(message?.deliveryCount, counted ? expected : 1);
          await consumer.close();
        }
      },
    },
    {
      number: "34",
      title: "takes over many messages of a dead member, each once",
      needs: ["load-balanced", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const count = context.limits.pendingMessages;
        const { options } = leases(context);
        await sendMany(context, stream, numbered("m", count));
        const dying = await openDyingMember(context, {
          mode: "load-balanced",
          streamKey: stream,
          take: count,
          options: { ...options, maxPrefetchMessages: count },
        });
        await dying.die();
        const heirs = [
          await member(context, stream, options),
          await member(context, stream, { ...options, streamer: await context.connect() }),
        ];
        const gathered = await gather(context, heirs, count);
        assertSameSet(textsOf(gathered), numbered("m", count));
        for (const heir of heirs) await heir.commit();
        await sendMany(context, stream, ["end"]);
        const more = startGathering(context, heirs);
        await more.until("the last message", () => textsOf(more.all).includes("end"));
        assert.deepEqual(textsOf(await more.stop()), ["end"]);
      },
    },
    {
      number: "35",
      title: "a message in progress is not stolen",
      needs: ["load-balanced", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await sendMany(context, stream, ["m"]);
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
        await sendMany(context, stream, ["end"]);
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
        await sendMany(context, stream, numbered("m", 30));
        const slow = await member(context, stream, { ...options, streamer: await context.connect(), maxPrefetchMessages: 30 });
        const first = await take(slow, 1, context.limits.waitMs);
        const other = await member(context, stream, options);
        const gathering = startGathering(context, [other]);
        await timePasses(leaseMs * 3, context);
        assert.equal(first[0]?.ack(), true, "the slow handler's own message was lost");
        // Whether the rest waited or was given to the other one meanwhile: each comes once, and none was delivered in vain.
        gathering.add(slow);
        await gathering.until("the rest", () => gathering.all.length >= 29);
        await sendMany(context, stream, ["end"]);
        await gathering.until("the last message", () => textsOf(gathering.all).includes("end"));
        const all = await gathering.stop();
        assertSameSet([...texts(first), ...textsOf(all)], [...numbered("m", 30), "end"]);
        for (const { message } of all) {
          if (context.capabilities.nak !== "native") assert.equal(message.deliveryCount, 1, message.text());
        }
      },
    },
    {
      number: "36",
      title: "a third member joins and gets a share",
      needs: ["load-balanced", "groups"],
      async run(context) {
        const stream = context.freshStream();
        const shards = shardsFor(context, 6);
        const producer = await context.streamer.createProducer(stream, { shards });
        const members = [await member(context, stream), await member(context, stream, { streamer: await context.connect() })];
        let sent = 0;
        let keepOn = true;
        const gathering = startGathering(context, members);
        const writing = (async () => {
          while (keepOn) {
            const values = numbered("m", 50, sent);
            sent += values.length;
            await producer.sendMany(values.map((value) => ({ value })));
            await gathering.until("what was sent", () => !keepOn || gathering.all.length >= sent);
          }
        })();
        const got = (index: number): boolean => gathering.all.some((each) => each.member === index);
        try {
          await gathering.until("the first two members' shares", () => got(0) && got(1));
          gathering.add(await member(context, stream, { streamer: await context.connect() }));
          await gathering.until("the third member's share", () => got(2));
          keepOn = false;
          await writing;
          await gathering.until("the rest", () => gathering.all.length >= sent);
          assertSameSet(textsOf(await gathering.stop()), numbered("m", sent));
        } finally {
          keepOn = false;
          await writing;
        }
      },
    },
    {
      number: "37",
      title: "with one shard and two members, one takes over when the other closes or dies",
      needs: ["load-balanced", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendMany(context, stream, numbered("m", 6));
        const dying = await openDyingMember(context, { mode: "load-balanced", streamKey: stream, take: 3, commit: 2, options });
        const standby = await member(context, stream, { ...options, streamer: await context.connect() });
        const taking = take(standby, 4, context.limits.waitMs);
        taking.catch(() => undefined);
        await dying.die();
        const messages = await taking;
        assertSameSet(texts(messages), numbered("m", 4, 2));
        for (const message of messages.slice(0, 3)) message.ack();
        const last = messages[3]?.text();
        const third = await member(context, stream, options);
        const inheriting = take(third, 1, context.limits.waitMs);
        await within(standby.close(), context.limits.waitMs, "close");
        assert.deepEqual(texts(await inheriting), [last]);
      },
    },
  ],
};
