/** Case 22: what a real-time consumer has no use for, and what works all the same. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";

export const noGroup: Chapter = {
  title: "without a group",
  cases: [
    {
      number: "22",
      title: "refuses a group, autoCommit and commit, and takes ack and term for nothing",
      needs: ["real-time"],
      async run(context) {
        const stream = context.freshStream();
        await failsWith("group-is-set", () => context.streamer.createConsumer(stream, { group: "g" }));
        await failsWith("invalid-option", () => context.streamer.createConsumer(stream, { autoCommit: "rolling" }));
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        for (const text of numbered("m", 3)) await producer.send(text);
        const [first, second] = await take(consumer, 2, context.limits.waitMs);
        first?.ack();
        second?.term("no use");
        await failsWith("commit-not-allowed", () => consumer.commit());
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["m-2"]);
      },
    },
    {
      number: "22",
      title: "redelivers a nak'ed message locally",
      needs: ["real-time", "settling"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const other = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        for (const text of ["m-0", "m-1"]) await producer.send(text);
        const [first] = await take(consumer, 1, context.limits.waitMs);
        const before = performance.now();
        assert.equal(first?.nak({ delayMs: 100 }), true);
        assert.throws(() => first?.nak(), TypeError);
        const [second, again] = await take(consumer, 2, context.limits.waitMs);
        // Node's timers may strike a little before their time.
        assert.ok(performance.now() - before >= 95, "it came before its delay");
        assert.deepEqual([second?.text(), again?.text(), again?.deliveryCount], ["m-1", "m-0", 2]);
        again?.nak();
        const [third] = await take(consumer, 1, context.limits.waitMs);
        assert.deepEqual([third?.text(), third?.deliveryCount], ["m-0", 3]);
        assert.equal(third?.ack(), true);
        await producer.send("end");
        assert.deepEqual(texts(await takeUpTo(other, "end", context.limits.waitMs)), ["m-0", "m-1"], "only who nak'ed it gets it again");
      },
    },
    {
      number: "22",
      title: "run retries locally and dead letters work",
      needs: ["real-time", "settling", "headers"],
      async run(context) {
        const stream = context.freshStream();
        const dead = await context.streamer.createConsumer(`${stream}.dlq`);
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        for (const text of ["fine", "failing", "once"]) await producer.send(text);
        const handled: string[] = [];
        const stop = new AbortController();
        const run = consumer.run(
          (message) => {
            handled.push(`${message.text()} ${message.deliveryCount}`);
            if (message.text() === "failing" || (message.text() === "once" && message.deliveryCount === 1)) throw new Error("failed");
          },
          { retry: { maxDeliveries: 3, backoff: () => 1 }, deadLetter: true, signal: stop.signal },
        );
        assert.deepEqual(texts(await take(dead, 1, context.limits.waitMs)), ["failing"]);
        await eventually("the other one's second try", () => handled.includes("once 2"), { limitMs: context.limits.waitMs });
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual([...handled].sort(), ["failing 1", "failing 2", "failing 3", "fine 1", "once 1", "once 2"]);
      },
    },
  ],
};
