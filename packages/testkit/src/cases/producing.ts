/** Cases 3 to 9, 15: receipts, order, barriers, addresses, and who is told of a failure. */
import assert from "node:assert/strict";
import { isStreamError, json } from "@seaway/core";
import type { Chapter } from "../conformance/conformance-case.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { assertIncreasing, failsWith, turn, watch } from "./expecting.ts";
import { numbered, take, takeAll, takeUpTo, texts } from "./reading.ts";

export const producing: Chapter = {
  title: "producing",
  cases: [
    {
      number: "3",
      title: "gives receipts that strictly increase and equal what a consumer sees",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const receipts = await Promise.all(numbered("m", 200).map((text) => producer.send(text)));
        const messages = await take(consumer, receipts.length, context.limits.waitMs);
        assertIncreasing(receipts);
        assert.deepEqual(texts(messages), numbered("m", 200));
        for (const [index, receipt] of receipts.entries()) {
          const message = messages[index];
          assert.equal(receipt.streamKey, stream);
          assert.equal(receipt.duplicate, false);
          assert.deepEqual([message?.streamKey, message?.shardId, message?.sequence], [stream, receipt.shardId, receipt.sequence]);
          if (receipt.timestampMs !== undefined) assert.equal(message?.brokerTimestampMs, receipt.timestampMs);
        }
      },
    },
    {
      number: "3",
      title: "gives receipts that strictly increase in every shard",
      needs: ["shards"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: 3 });
        const consumer = await context.streamer.createConsumer(stream);
        const receipts = await Promise.all(numbered("m", 90).map((text) => producer.send(text)));
        assertIncreasing(receipts);
        const places = receipts.map((receipt, index) => `m-${index} ${receipt.shardId}:${receipt.sequence}`);
        const messages = await take(consumer, receipts.length, context.limits.waitMs);
        assertIncreasing(messages);
        assert.deepEqual(messages.map((message) => `${message.text()} ${message.shardId}:${message.sequence}`).sort(), places.sort());
      },
    },
    {
      number: "3",
      title: "carries the producer's own time",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        await producer.send("old", { timestampMs: 1_500_000_000_123 });
        const [message] = await take(consumer, 1, context.limits.waitMs);
        assert.equal(message?.timestampMs, 1_500_000_000_123);
        assert.equal(message?.timestamp.toISOString(), "2017-07-14T02:40:00.123Z");
      },
    },
    {
      number: "4",
      title: "keeps the order of many sends that nobody awaits",
      async run(context) {
        const stream = context.freshStream();
        const count = context.limits.orderedMessages;
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const sent = numbered("m", count).map((text) => producer.send(text));
        const messages = await take(consumer, count, context.limits.waitMs * 3);
        assert.deepEqual(texts(messages), numbered("m", count));
        assertIncreasing(await Promise.all(sent));
        await producer.send("end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), [], "something came twice");
      },
    },
    {
      number: "5",
      title: "flush waits for everything sent before, and has the receipts given first",
      async run(context) {
        const faults = faulty(context.harness.driver);
        const streamer = await context.connectThrough(faults);
        const producer = await streamer.createProducer(context.freshStream());
        faults.hold("send");
        const receipts = numbered("m", 20).map((text) => watch(producer.send(text)));
        const flushing = producer.flush();
        const flushed = watch(flushing);
        await eventually("a batch reaches the driver", () => faults.held("send") > 0, { limitMs: context.limits.waitMs });
        await turn();
        assert.equal(flushed.settled, false, "flush resolved while a batch was held back");
        faults.release("send");
        await flushing;
        await turn();
        assert.equal(receipts.filter((receipt) => receipt.settled).length, 20);
        assert.equal(producer.bufferedBytes, 0);
      },
    },
    {
      number: "5",
      title: "what was enqueued before a flush is there for a reader that comes after it",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        for (const text of numbered("m", 500)) producer.enqueue(text);
        await producer.flush();
        const consumer = await context.streamer.createConsumer(stream, { autoStreamReset: "earliest", until: "end" });
        assert.deepEqual(texts(await takeAll(consumer)), numbered("m", 500));
      },
    },
    {
      number: "6",
      title: "end sends what is left; a send after it is closed",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const receipt = producer.send("last");
        await producer.end();
        await receipt;
        await failsWith("closed", () => producer.send("late"));
        await failsWith("closed", () => producer.sendTo(context.freshStream(), "late"));
        await failsWith("closed", () => producer.enqueue("late"));
        await producer.end();
        const [message] = await take(consumer, 1, context.limits.waitMs);
        assert.equal(message?.text(), "last");
      },
    },
    {
      number: "7",
      title: "anchors once",
      async run(context) {
        const [first, second] = [context.freshStream(), context.freshStream()];
        const consumer = await context.streamer.createConsumer([first, second]);
        const producer = await context.streamer.createProducer();
        assert.equal(producer.streamKey, undefined);
        await failsWith("not-anchored", () => producer.send("nowhere"));
        await failsWith("invalid-stream-key", () => producer.anchor("a..b"));
        await producer.anchor(first);
        assert.equal(producer.streamKey, first);
        await failsWith("already-anchored", () => producer.anchor(second));
        await producer.send("anchored");
        await producer.sendTo(second, "elsewhere");
        const anchored = await context.streamer.createProducer(first);
        await failsWith("already-anchored", () => anchored.anchor(second));
        const places = (await take(consumer, 2, context.limits.waitMs)).map((message) => `${message.streamKey} ${message.text()}`);
        assert.deepEqual(places.sort(), [`${first} anchored`, `${second} elsewhere`].sort());
      },
    },
    {
      number: "8",
      title: "keeps the order in each of two streams that sends alternate between",
      async run(context) {
        const streams = [context.freshStream(), context.freshStream()];
        const consumers = await Promise.all(streams.map((stream) => context.streamer.createConsumer(stream)));
        const producer = await context.streamer.createProducer();
        const sent = numbered("m", 1_000).map((text, index) => producer.sendTo(streams[index % 2] ?? "", text));
        const receipts = await Promise.all(sent);
        assertIncreasing(receipts);
        for (const [parity, consumer] of consumers.entries()) {
          const expected = numbered("m", 1_000).filter((_, index) => index % 2 === parity);
          assert.deepEqual(texts(await take(consumer, 500, context.limits.waitMs)), expected);
        }
      },
    },
    {
      number: "9",
      title: "tells failures of enqueue once, in flush or end, and those of send only in their promise",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream, { maxMessageBytes: 16 });
        await failsWith("message-too-large", () => producer.send("x".repeat(17)));
        await producer.flush();
        producer.enqueue("x".repeat(17));
        producer.enqueue("good");
        producer.enqueue("x".repeat(18));
        await failsWith("message-too-large", () => producer.flush());
        await producer.flush();
        producer.enqueue("x".repeat(17));
        await failsWith("message-too-large", () => producer.end());
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["good"]);
      },
    },
    {
      number: "9",
      title: "tells so of failures that the backend reports",
      async run(context) {
        const faults = faulty(context.harness.driver, { plan: { send: [{ fault: "fail-before", retryable: false, times: 2 }] } });
        const streamer = await context.connectThrough(faults);
        const producer = await streamer.createProducer(context.freshStream());
        const error = await failsWith("backend", () => producer.send("refused"));
        assert.equal(error.retryable, false);
        await producer.flush();
        producer.enqueue("refused");
        await failsWith("backend", () => producer.flush());
        await producer.flush();
        await producer.send("taken");
      },
    },
    {
      number: "15",
      title: "sendMany tells of one bad message alone",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer<unknown>(stream, { codec: json(), maxMessageBytes: 100 });
        const circular: { self?: unknown } = {};
        circular.self = circular;
        const results = await producer.sendMany([1, circular, 2, "x".repeat(200), 3].map((value) => ({ value })));
        assert.deepEqual(
          results.map((result) =>
            result.status === "fulfilled" ? "stored" : isStreamError(result.reason) ? result.reason.code : result.reason,
          ),
          ["stored", "encode-failed", "stored", "message-too-large", "stored"],
        );
        assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), ["1", "2", "3"]);
      },
    },
    {
      number: "15",
      title: "refuses bare values and values that need a codec",
      async run(context) {
        const producer = await context.streamer.createProducer<unknown>(context.freshStream());
        await assert.rejects(async () => producer.send({ id: 1 }), { name: "TypeError", message: /json\(\)/ });
        const bare: readonly unknown[] = ["bare"];
        await assert.rejects(async () => producer.sendMany(bare as readonly { value: string }[]), { name: "TypeError" });
      },
    },
  ],
};
