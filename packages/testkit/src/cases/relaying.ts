/** Case 88: relay. */
import assert from "node:assert/strict";
import { relay } from "@seaway/core";
import { claims } from "../conformance/ability.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { abandon } from "../fault/abandon.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { eventuallyDone, groupState, leases, member } from "./grouping.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";

export const relaying: Chapter = {
  title: "relay",
  cases: [
    {
      number: "88",
      title: "copies a bounded read in order, with key, headers and message id, and ends with it",
      needs: ["real-time", "seek", "keys", "headers", "message-ids"],
      async run(context) {
        const [from, to] = [context.freshStream(), context.freshStream()];
        const origin = await context.streamer.createProducer(from);
        await origin.sendMany(
          numbered("m", 500).map((value, index) => ({
            value,
            key: `k-${index % 7}`,
            headers: { n: [`${index}`, ""] },
            messageId: `id-${index}`,
          })),
        );
        const consumer = await context.streamer.createConsumer(from, { autoStreamReset: "earliest", until: "end" });
        const copies = await context.streamer.createConsumer(to);
        const producer = await context.streamer.createProducer(to);
        const result = await within(relay(consumer, producer), context.limits.waitMs, "relay");
        assert.deepEqual(result, { received: 500, sent: 500 });
        const messages = await take(copies, 500, context.limits.waitMs);
        assert.deepEqual(texts(messages), numbered("m", 500));
        for (const [index, message] of messages.entries()) {
          assert.deepEqual(
            [message.key, message.messageId, message.headers.getAll("n")],
            [`k-${index % 7}`, `id-${index}`, [`${index}`, ""]],
          );
          assert.equal(message.headers.get("seaway-origin-stream"), undefined);
        }
      },
    },
    {
      number: "88",
      title: "transforms one to none, one or many",
      needs: ["real-time"],
      async run(context) {
        const [from, to] = [context.freshStream(), context.freshStream()];
        const consumer = await context.streamer.createConsumer(from);
        const copies = await context.streamer.createConsumer(to);
        const producer = await context.streamer.createProducer(to);
        const stop = new AbortController();
        const relaying = relay(consumer, producer, {
          signal: stop.signal,
          transform: (message) => {
            const text = message.text();
            if (text === "none") return undefined;
            if (text === "many") return [{ value: "1" }, { value: "2" }, { value: "3" }];
            return { value: `${text}!` };
          },
        });
        const origin = await context.streamer.createProducer(from);
        for (const text of ["one", "none", "many", "last"]) await origin.send(text);
        assert.deepEqual(texts(await takeUpTo(copies, "last!", context.limits.waitMs)), ["one!", "1", "2", "3"]);
        stop.abort();
        assert.deepEqual(await within(relaying, context.limits.waitMs, "the aborted relay"), { received: 4, sent: 5 });
      },
    },
    {
      number: "88",
      title: "with originHeaders tells where a message came from",
      needs: ["real-time", "seek", "headers"],
      async run(context) {
        const [from, to] = [context.freshStream(), context.freshStream()];
        const shards = claims(context.capabilities, "shards") ? 2 : 1;
        const origin = await context.streamer.createProducer(from, { shards });
        const receipt = await origin.send("m", { shard: shards - 1, headers: { own: "kept" } });
        const consumer = await context.streamer.createConsumer(from, { autoStreamReset: "earliest", until: "end" });
        const copies = await context.streamer.createConsumer(to);
        await relay(consumer, await context.streamer.createProducer(to), { originHeaders: true });
        const [copy] = await take(copies, 1, context.limits.waitMs);
        assert.equal(copy?.headers.get("own"), "kept");
        assert.equal(copy?.headers.get("seaway-origin-stream"), from);
        assert.equal(copy?.headers.get("seaway-origin-shard"), String(receipt.shardId));
        assert.equal(copy?.headers.get("seaway-origin-sequence"), String(receipt.sequence));
      },
    },
    {
      number: "88",
      title: "rejects when an output cannot be stored, and its consumer can be read on",
      needs: ["real-time"],
      async run(context) {
        const [from, to] = [context.freshStream(), context.freshStream()];
        const consumer = await context.streamer.createConsumer(from);
        const producer = await context.streamer.createProducer(to, { maxMessageBytes: 16 });
        const relaying = failsWith("message-too-large", () => relay(consumer, producer));
        const origin = await context.streamer.createProducer(from);
        await origin.send("fits");
        await origin.send("x".repeat(17));
        await within(relaying, context.limits.waitMs, "the relay's rejection");
        await origin.send("end");
        await takeUpTo(consumer, "end", context.limits.waitMs);
        await producer.flush();
      },
    },
    {
      number: "88",
      title: "acks an input only after its output's receipt",
      needs: ["load-balanced", "groups", "settling", "admin.groupInfo"],
      async run(context) {
        const [from, to] = [context.freshStream(), context.freshStream()];
        await (await context.streamer.createProducer(from)).sendMany(numbered("m", 50).map((value) => ({ value })));
        const copies = await context.streamer.createConsumer(to);
        const slow = faulty(context.harness.driver);
        const producer = await (await context.connectThrough(slow)).createProducer(to);
        slow.hold("send");
        const stop = new AbortController();
        const relaying = relay(await member(context, from), producer, { signal: stop.signal });
        await eventually("outputs are on their way", () => slow.held("send") > 0, { limitMs: context.limits.waitMs });
        assert.equal((await groupState(context, from, 50)).done, 0, "acked before its output's receipt");
        slow.release("send");
        assert.deepEqual(texts(await take(copies, 50, context.limits.waitMs)), numbered("m", 50));
        await eventuallyDone(context, from, 50, 50);
        stop.abort();
        assert.deepEqual(await within(relaying, context.limits.waitMs, "the aborted relay"), { received: 50, sent: 50 });
      },
    },
    {
      number: "88",
      title: "killed and started again it loses nothing",
      needs: ["load-balanced", "groups", "settling", "admin.groupInfo"],
      offers: ["shortLeases"],
      async run(context) {
        const [from, to] = [context.freshStream(), context.freshStream()];
        const { options } = leases(context);
        await (await context.streamer.createProducer(from)).sendMany(numbered("m", 200).map((value) => ({ value })));
        const copies = await context.streamer.createConsumer(to);
        const seen = new Set<string>();
        for (const life of [1, 2, 3]) {
          const slow = faulty(context.harness.driver);
          const streamer = await context.connectThrough(slow);
          const producer = await streamer.createProducer(to, { sendTimeoutMs: 50 });
          const consumer = await member(context, from, { ...options, streamer, autoCommitIntervalMs: 1 });
          slow.hold("send");
          const relaying = relay(consumer, producer);
          relaying.catch(() => undefined);
          await eventually(`outputs of life ${life} are on their way`, () => slow.held("send") > 0, { limitMs: context.limits.waitMs });
          await abandon(consumer);
          // What it was about to send is lost with it.
          slow.disconnect();
          const closing = producer.close().catch(() => undefined);
          await within(closing, context.limits.waitMs, "the close of a producer whose broker is gone");
        }
        const stop = new AbortController();
        const last = relay(await member(context, from, options), await context.streamer.createProducer(to), { signal: stop.signal });
        await eventuallyDone(context, from, 200, 200);
        stop.abort();
        await within(last, context.limits.waitMs, "the last relay");
        await (await context.streamer.createProducer(to)).send("end");
        for (const message of await takeUpTo(copies, "end", context.limits.waitMs)) seen.add(message.text());
        assert.deepEqual([...seen].sort(), numbered("m", 200).sort());
      },
    },
  ],
};
