/** Cases 29 to 34, 36 and 37: members that share a stream. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { openDyingMember } from "./dying.ts";
import { assertSameSet, failsWith, turn } from "./expecting.ts";
import { gather, groupState, leases, member, shardsFor, startGathering, textsOf } from "./grouping.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

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
        await sendTo(context, stream, numbered("m", 2_000));
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
        await sendTo(context, stream, numbered("m", 200));
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
        await sendTo(context, stream, numbered("m", 10));
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
        await sendTo(context, stream, ["end"]);
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
        await sendTo(context, stream, numbered("m", 50), shardsFor(context, 2));
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
        await sendTo(context, stream, ["m"]);
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
        await sendTo(context, stream, numbered("m", count));
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
        await sendTo(context, stream, ["end"]);
        const more = startGathering(context, heirs);
        await more.until("the last message", () => textsOf(more.all).includes("end"));
        assert.deepEqual(textsOf(await more.stop()), ["end"]);
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
        await sendTo(context, stream, numbered("m", 6));
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
