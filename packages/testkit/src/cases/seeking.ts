/** Cases 53 to 56 and 58: rewind and seek. */
import assert from "node:assert/strict";
import type { Producer, Receipt } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { failsWith } from "./expecting.ts";
import { reader } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";

function sendAll(producer: Producer, values: readonly string[]): Promise<Receipt[]> {
  return Promise.all(values.map((value) => producer.send(value)));
}

/** Resolves when the clock shows another millisecond, so that the broker stamps what follows later. */
async function nextMillisecond(context: CaseContext): Promise<void> {
  const before = Date.now();
  await eventually("the clock moves", () => Date.now() > before + 1, { limitMs: context.limits.waitMs });
}

export const seeking: Chapter = {
  title: "seeking",
  cases: [
    {
      number: "53",
      title: "rewinds to the beginning, to a sequence inclusively, and to the end",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        const receipts = await sendAll(producer, numbered("m", 20));
        const consumer = await context.streamer.createConsumer(stream);
        await consumer.rewind("beginning");
        assert.deepEqual(texts(await take(consumer, 5, context.limits.waitMs)), numbered("m", 5));
        await consumer.rewind({ at: receipts[15]?.sequence ?? 0n });
        assert.deepEqual(texts(await take(consumer, 5, context.limits.waitMs)), numbered("m", 5, 15));
        await consumer.rewind({ at: receipts[2]?.sequence ?? 0n });
        assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), numbered("m", 3, 2));
        await consumer.rewind("end");
        await producer.send("after");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["after"]);
        await consumer.rewind("beginning");
        assert.deepEqual(texts(await take(consumer, 21, context.limits.waitMs)), [...numbered("m", 20), "after"]);
      },
    },
    {
      number: "53",
      title: "rewinds every shard of every key, and one sequence places one shard only",
      needs: ["seek", "shards"],
      async run(context) {
        const [sharded, plain] = [context.freshStream(), context.freshStream()];
        const producer = await context.streamer.createProducer(sharded, { shards: 2 });
        const sent: Receipt[] = [];
        for (const text of numbered("m", 10)) for (const shard of [0, 1]) sent.push(await producer.send(text, { shard }));
        const unsharded = await context.streamer.createProducer(plain);
        for (const text of numbered("p", 10)) sent.push(await unsharded.send(text));
        const consumer = await context.streamer.createConsumer([sharded, plain]);
        await consumer.rewind("beginning");
        assert.equal((await take(consumer, 30, context.limits.waitMs)).length, 30);
        await failsWith("not-assigned", () => consumer.rewind({ at: sent[0]?.sequence ?? 0n }));
        const at = (streamKey: string, shardId: number, index: number): bigint =>
          sent.filter((receipt) => receipt.streamKey === streamKey && receipt.shardId === shardId)[index]?.sequence ?? 0n;
        await consumer.rewind({ at: { [sharded]: { 0: at(sharded, 0, 8), 1: at(sharded, 1, 9) }, [plain]: { 0: at(plain, 0, 9) } } });
        const messages = await take(consumer, 4, context.limits.waitMs);
        assert.deepEqual(messages.map((message) => `${message.streamKey === plain ? "plain" : message.shardId} ${message.text()}`).sort(), [
          "0 m-8",
          "0 m-9",
          "1 m-9",
          "plain p-9",
        ]);
      },
    },
    {
      number: "54",
      title: "seeks to the first message strictly later than a time",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        for (const text of numbered("m", 6)) {
          await producer.send(text);
          await nextMillisecond(context);
        }
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        const all = await take(consumer, 6, context.limits.waitMs);
        const times = all.map((message) => message.brokerTimestampMs);
        for (const time of [(times[0] ?? 0) - 1, times[0] ?? 0, times[2] ?? 0, (times[3] ?? 0) - 1]) {
          const later = texts(all).filter((_, index) => (times[index] ?? 0) > time);
          await consumer.seek(time);
          assert.deepEqual(texts(await take(consumer, later.length, context.limits.waitMs)), later, "by ms");
          await consumer.seek(new Date(time));
          assert.deepEqual(texts(await take(consumer, later.length, context.limits.waitMs)), later, "by Date");
        }
      },
    },
    {
      number: "54",
      title: "seeks by the broker's time, not by the producer's own",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        await producer.send("old by its own time", { timestampMs: 1_000_000 });
        await nextMillisecond(context);
        await producer.send("second");
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        const [first, second] = await take(consumer, 2, context.limits.waitMs);
        assert.ok((first?.brokerTimestampMs ?? 0) < (second?.brokerTimestampMs ?? 0));
        await consumer.seek(first?.brokerTimestampMs ?? 0);
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["second"]);
      },
    },
    {
      number: "55",
      title: "waits at the end for what follows",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        const receipts = await sendAll(producer, numbered("m", 3));
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        const last = (await take(consumer, 3, context.limits.waitMs)).at(-1);
        const moves = [
          () => consumer.rewind({ at: (receipts[2]?.sequence ?? 0n) + 1n }),
          () => consumer.seek(last?.brokerTimestampMs ?? 0),
          () => consumer.rewind("end"),
        ];
        await nextMillisecond(context);
        await moves[0]?.();
        const waiting = take(consumer, 1, context.limits.waitMs);
        await producer.send("first after");
        assert.deepEqual(texts(await waiting), ["first after"]);
        await moves[1]?.();
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["first after"]);
        await moves[2]?.();
        const waitingAgain = take(consumer, 1, context.limits.waitMs);
        await producer.send("second after");
        assert.deepEqual(texts(await waitingAgain), ["second after"]);
      },
    },
    {
      number: "56",
      title: "leaves the group, whose position is unchanged",
      needs: ["seek", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        await sendAll(producer, numbered("m", 10));
        for (const [mode, group] of [
          ["resumable", "first"],
          ["load-balanced", "second"],
        ] as const) {
          const leaving = await reader(context, stream, { mode, group, autoCommitIntervalMs: 600_000 });
          const messages = await take(leaving, 5, context.limits.waitMs);
          for (const message of messages.slice(0, 3)) message.ack();
          // What was acked is committed, the rest given back: at once, although nothing was closed.
          await leaving.rewind("beginning");
          const next = await reader(context, stream, { mode, group, streamer: await context.connect() });
          const again = await take(leaving, 10, context.limits.waitMs);
          assert.deepEqual(texts(again), numbered("m", 10), "it reads in real time from where it went");
          for (const message of again) message.ack();
          await failsWith("commit-not-allowed", () => leaving.commit());
          assert.equal(messages[3]?.ack(), false, "what was given back");
          await leaving.seek(0);
          assert.deepEqual(texts(await take(leaving, 1, context.limits.waitMs)), ["m-0"]);
          await leaving.close();
          const rest = await take(next, 7, context.limits.waitMs);
          assert.deepEqual(texts(rest).sort(), numbered("m", 7, 3), "the group goes on where it was");
          next.ackMany(rest);
          await next.close();
        }
      },
    },
    {
      number: "58",
      title: "delivers no stale message after a move while much is read ahead",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        const receipts = await sendAll(producer, numbered("m", 5_000));
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest", maxPrefetchMessages: 500 });
        for (const target of [4_000, 10, 2_500, 0, 4_900, 1_234]) {
          await take(consumer, 3, context.limits.waitMs);
          await consumer.rewind({ at: receipts[target]?.sequence ?? 0n });
          assert.deepEqual(texts(await take(consumer, 8, context.limits.waitMs)), numbered("m", 8, target), `after the move to ${target}`);
        }
        await consumer.rewind("end");
        await producer.send("after");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["after"]);
      },
    },
    {
      number: "58",
      title: "gives a read that waits during a move what stands at the new place, from its first message on",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        await sendAll(producer, numbered("m", 50));
        const consumer = await context.streamer.createConsumer(stream);
        for (let round = 0; round < 20; round += 1) {
          const waiting = take(consumer, 50, context.limits.waitMs);
          await consumer.rewind("beginning");
          assert.deepEqual(texts(await waiting), numbered("m", 50), `in round ${round}`);
        }
      },
    },
    {
      number: "58",
      title: "keeps the first messages of the new place when they come before the move's own answer",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const late = faulty(context.harness.driver, { plan: { seek: [{ fault: "late-answer" }] } });
        const streamer = await context.connectThrough(late);
        const producer = await streamer.createProducer(stream);
        await sendAll(producer, numbered("m", 50));
        const consumer = await streamer.createConsumer(stream);
        for (let round = 0; round < 3; round += 1) {
          const waiting = take(consumer, 50, context.limits.waitMs);
          await consumer.rewind("beginning");
          assert.deepEqual(texts(await waiting), numbered("m", 50), `in round ${round}`);
        }
      },
    },
    {
      number: "58",
      title: "moves while a producer writes, and misses nothing from there on",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await (await context.connect()).createProducer(stream);
        await sendAll(producer, numbered("m", 200));
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest" });
        const writing = producer.sendMany(numbered("m", 3_000, 200).map((value) => ({ value })));
        for (let round = 0; round < 10; round += 1) {
          await take(consumer, 20, context.limits.waitMs);
          await consumer.rewind("beginning");
        }
        assert.deepEqual(texts(await take(consumer, 3_200, context.limits.waitMs)), numbered("m", 3_200));
        await writing;
      },
    },
  ],
};
