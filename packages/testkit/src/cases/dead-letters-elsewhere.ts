/** Cases 61 and 62: dead letters that go to another backend, and one that is down. */
import assert from "node:assert/strict";
import { connect } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import type { Chapter } from "../conformance/conformance-case.ts";
import { abandon } from "../fault/abandon.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { deadLetterHeaders } from "./dead-lettering.ts";
import { eventuallyDone, groupState, leases, member } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "headers", "admin.groupInfo"] as const;

export const deadLettersElsewhere: Chapter = {
  title: "dead letters elsewhere",
  cases: [
    {
      number: "61",
      title: "dead letters go to another backend where its producer is given",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await using elsewhere = await connect(`memory://dead-letters-${crypto.randomUUID()}`, { drivers: [memory()] });
        const dead = await elsewhere.createConsumer("letters");
        const producer = await elsewhere.createProducer();
        await sendTo(context, stream, numbered("m", 2));
        const stop = new AbortController();
        const run = (await member(context, stream)).run(
          (message) => {
            if (message.text() === "m-0") throw new Error("never");
          },
          { retry: { maxDeliveries: 1 }, deadLetter: { producer, stream: "letters" }, signal: stop.signal },
        );
        const [letter] = await take(dead, 1, context.limits.waitMs);
        assert.equal(letter?.text(), "m-0");
        assert.equal(deadLetterHeaders(letter).Stream, stream);
        await eventuallyDone(context, stream, 2, 2);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        // It was given, so it is not closed.
        await producer.sendTo("letters", "still open");
      },
    },
    {
      number: "62",
      title: "while the dead letters' stream is down nothing is acked and nothing lost; afterwards it is stored",
      needs,
      async run(context) {
        const stream = context.freshStream();
        const down = faulty(memory());
        await using elsewhere = await connect(`memory://dead-letters-${crypto.randomUUID()}`, { drivers: [down] });
        const dead = await elsewhere.createConsumer("letters");
        const producer = await elsewhere.createProducer(undefined, { sendTimeoutMs: 200 });
        await sendTo(context, stream, numbered("m", 3));
        down.disconnect();
        let deliveries = 0;
        const stop = new AbortController();
        const consumer = await member(context, stream);
        const run = consumer.run(
          (message) => {
            if (message.text() !== "m-1") return;
            deliveries += 1;
            throw new Error("never");
          },
          { retry: { maxDeliveries: 2, backoff: () => 5 }, deadLetter: { producer, stream: "letters" }, signal: stop.signal },
        );
        const isTold = (): boolean => context.events.some((event) => event.level === "error" || event.code === "dead-letter-failed");
        await eventually("the failed dead letter is told of", isTold, { limitMs: context.limits.waitMs });
        await eventuallyDone(context, stream, 3, 2);
        assert.ok(deliveries >= 2);
        down.reconnect();
        assert.deepEqual(texts(await take(dead, 1, context.limits.waitMs)), ["m-1"]);
        await eventuallyDone(context, stream, 3, 3);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
      },
    },
    {
      number: "62",
      title: "a member that dies between a dead letter and its ack loses nothing",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        const down = faulty(memory());
        await using elsewhere = await connect(`memory://dead-letters-${crypto.randomUUID()}`, { drivers: [down] });
        const dead = await elsewhere.createConsumer("letters");
        const producer = await elsewhere.createProducer();
        await sendTo(context, stream, ["m"]);
        const runOptions = { retry: { maxDeliveries: 1 }, deadLetter: { producer, stream: "letters" } };
        const first = await member(context, stream, { ...options, streamer: await context.connect() });
        down.hold("send");
        const dying = first.run(() => Promise.reject(new Error("never")), runOptions);
        dying.catch(() => undefined);
        await eventually("the dead letter is on its way", () => down.held("send") > 0, { limitMs: context.limits.waitMs });
        assert.equal((await groupState(context, stream, 1)).done, 0, "acked before the dead letter's receipt");
        await abandon(first);
        down.release("send");
        const stop = new AbortController();
        const run = (await member(context, stream, options)).run(() => Promise.reject(new Error("never")), {
          ...runOptions,
          signal: stop.signal,
        });
        assert.equal((await take(dead, 1, context.limits.waitMs))[0]?.text(), "m");
        await eventuallyDone(context, stream, 1, 1);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
      },
    },
  ],
};
