/** Cases 24 to 28b, but for 24c: one reader, and where it goes on. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { openDyingMember } from "./dying.ts";
import { eventuallyDone, leases, reader } from "./grouping.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

export const resuming: Chapter = {
  title: "resumable",
  cases: [
    {
      number: "24",
      title: "goes on at the sixth after five of ten were acked and the reader closed",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 10));
        const first = await reader(context, stream);
        assert.deepEqual(first.start, [{ streamKey: stream, shardId: 0, origin: "earliest" }]);
        const messages = await take(first, 10, context.limits.waitMs);
        for (const message of messages.slice(0, 5)) assert.equal(message.ack(), true);
        await first.close();
        const second = await reader(context, stream, { autoStreamReset: "latest" });
        assert.deepEqual(second.start, [{ streamKey: stream, shardId: 0, origin: "committed" }]);
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(second, "end", context.limits.waitMs)), numbered("m", 5, 5));
      },
    },
    {
      number: "24",
      title: "gives what was sent while no reader was there",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        const first = await reader(context, stream, { autoStreamReset: "latest" });
        await sendTo(context, stream, ["while it reads"]);
        for (const message of await take(first, 1, context.limits.waitMs)) message.ack();
        await first.close();
        await sendTo(context, stream, numbered("away", 3));
        const second = await reader(context, stream, { autoStreamReset: "latest" });
        assert.deepEqual(texts(await take(second, 3, context.limits.waitMs)), numbered("away", 3));
      },
    },
    {
      number: "24",
      title: "has the default group's readers of two streams see only their own, side by side and reopened",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const streams = [context.freshStream(), context.freshStream()];
        for (const round of [0, 1]) {
          for (const [index, stream] of streams.entries()) await sendTo(context, stream, numbered(`stream-${index}-round-${round}`, 3));
          const open = (stream: string) =>
            context.streamer.createConsumer(stream, { mode: "resumable", autoStreamReset: "earliest", autoCommit: "rolling" });
          const readers = await Promise.all(streams.map(open));
          for (const [index, consumer] of readers.entries()) {
            const messages = await take(consumer, 3, context.limits.waitMs);
            assert.deepEqual(texts(messages), numbered(`stream-${index}-round-${round}`, 3));
            for (const message of messages) message.ack();
          }
          for (const consumer of readers) await consumer.close();
        }
      },
    },
    {
      number: "24b",
      title: "reads a shard from its beginning that was added while the group was away",
      needs: ["resumable", "groups", "settling", "shards"],
      offers: ["addShard"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: 2 });
        const first = await reader(context, stream, { autoStreamReset: "latest" });
        for (const shard of [0, 1]) await producer.send(`old-${shard}`, { shard });
        for (const message of await take(first, 2, context.limits.waitMs)) message.ack();
        await first.close();
        await producer.close();
        await context.harness.addShard?.(stream);
        const later = await (await context.connect()).createProducer(stream);
        for (const shard of [0, 1, 2]) await later.send(`new-${shard}`, { shard });
        const second = await reader(context, stream, { autoStreamReset: "latest" });
        assert.deepEqual(texts(await take(second, 3, context.limits.waitMs)).sort(), numbered("new", 3));
        assert.equal(second.start.find(({ shardId }) => shardId === 2)?.origin, "earliest");
      },
    },
    {
      number: "25",
      title: "gives the same messages again when nothing was committed",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 5));
        for (let opening = 0; opening < 3; opening += 1) {
          const consumer = await reader(context, stream);
          assert.deepEqual(texts(await take(consumer, 5, context.limits.waitMs)), numbered("m", 5), `opening ${opening}`);
          await consumer.close();
        }
      },
    },
    {
      number: "26",
      title: "goes on at the fifth after four of five were acked, in rolling",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 5));
        const first = await reader(context, stream);
        for (const message of (await take(first, 5, context.limits.waitMs)).slice(0, 4)) message.ack();
        await first.close();
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(await reader(context, stream), "end", context.limits.waitMs)), ["m-4"]);
      },
    },
    {
      number: "26",
      title: "goes on at the fifth after four of five were acked and committed, in disabled; acks that were not committed are dropped",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 5));
        const first = await reader(context, stream, { autoCommit: "disabled" });
        const messages = await take(first, 5, context.limits.waitMs);
        for (const message of messages.slice(0, 4)) message.ack();
        await first.commit();
        messages[4]?.ack();
        await first.close();
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(await reader(context, stream), "end", context.limits.waitMs)), ["m-4"]);
      },
    },
    {
      number: "27",
      title: "skips nothing that was not acked after acks out of order",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 8));
        const first = await reader(context, stream);
        const messages = await take(first, 8, context.limits.waitMs);
        for (const index of [7, 0, 2, 5, 1]) messages[index]?.ack();
        await first.commit();
        await first.close();
        await sendTo(context, stream, ["end"]);
        const again = texts(await takeUpTo(await reader(context, stream), "end", context.limits.waitMs));
        // A backend that commits a position gives the acked ones above it once more; what lies below it never.
        for (const index of [3, 4, 6]) assert.equal(again.filter((text) => text === `m-${index}`).length, 1, `m-${index}`);
        for (const index of [0, 1, 2]) assert.ok(!again.includes(`m-${index}`), `m-${index} came again`);
      },
    },
    {
      number: "28",
      title: "gives only what was not committed after its reader died",
      needs: ["resumable", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendTo(context, stream, numbered("m", 8));
        const first = await openDyingMember(context, { mode: "resumable", streamKey: stream, take: 6, commit: 3, ack: 1, options });
        assert.deepEqual(first.taken, numbered("m", 6));
        await first.die();
        const second = await within(reader(context, stream, options), context.limits.waitMs, "the next reader");
        await sendTo(context, stream, ["end"]);
        assert.deepEqual(texts(await takeUpTo(second, "end", context.limits.waitMs)), numbered("m", 5, 3));
      },
    },
    {
      number: "28b",
      title: "handles each message once although the connection is gone while a handler works",
      needs: ["resumable", "groups", "settling", "admin.groupInfo"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 5));
        const driver = faulty(context.harness.driver);
        const consumer = await reader(context, stream, { streamer: await context.connectThrough(driver) });
        const handled: string[] = [];
        const stop = new AbortController();
        const running = consumer.run(
          async (message) => {
            handled.push(message.text());
            if (handled.length !== 1) return;
            const eventsBefore = context.events.length;
            driver.disconnect();
            await eventually("the cut is noticed", () => context.events.length > eventsBefore, { limitMs: context.limits.waitMs });
            driver.reconnect();
          },
          { signal: stop.signal },
        );
        await eventuallyDone(context, stream, 5, 5);
        stop.abort();
        await within(running, context.limits.waitMs, "the end of run");
        assert.deepEqual(handled, numbered("m", 5));
      },
    },
    {
      number: "28b",
      title: "handles each message once although the network swallows everything while a handler works",
      needs: ["resumable", "groups", "settling", "admin.groupInfo"],
      offers: ["cutOff"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 5));
        const consumer = await reader(context, stream, { streamer: await context.connect() });
        const handled: string[] = [];
        const stop = new AbortController();
        const running = consumer.run(
          async (message) => {
            handled.push(message.text());
            if (handled.length !== 1) return;
            const restore = await context.harness.cutOff?.();
            await eventually(
              "the broker is out of reach",
              () =>
                context.streamer.ping({ signal: AbortSignal.timeout(200) }).then(
                  () => false,
                  () => true,
                ),
              {
                limitMs: context.limits.waitMs,
              },
            );
            await restore?.();
          },
          { signal: stop.signal },
        );
        await eventuallyDone(context, stream, 5, 5);
        stop.abort();
        await within(running, context.limits.waitMs, "the end of run");
        assert.deepEqual(handled, numbered("m", 5));
      },
    },
  ],
};
