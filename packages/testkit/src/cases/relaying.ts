/** Case 88: relay. */
import assert from "node:assert/strict";
import { relay } from "@seaway/core";
import { claims } from "../conformance/ability.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
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
      title: "acks an input only after its output's receipt; killed and started again it loses nothing",
      needs: ["groups", "settling"],
      run: () => Promise.reject(new Error("this case is to be written with groups and settling")),
    },
  ],
};
