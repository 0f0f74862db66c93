/** Cases 14 and 60 (its end): what becomes of messages that nobody can handle. */
import assert from "node:assert/strict";
import { type Consumer, DeadLetterHeader, type Message, NonRetryableError } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { eventuallyDone, GROUP, member } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "headers", "admin.groupInfo"] as const;

/** Follows the dead letters of a stream, from the first. */
export async function followDeadLetters(context: CaseContext, streamKey: string): Promise<Consumer> {
  return context.streamer.createConsumer(`${streamKey}.dlq`, { autoStreamReset: "latest" });
}

export function deadLetterHeaders(message: Message | undefined): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(DeadLetterHeader).map(([name, header]) => {
      const value = message?.headers.get(header);
      return [name, value === undefined ? undefined : Buffer.from(value).toString("utf8")];
    }),
  );
}

export const deadLettering: Chapter = {
  title: "dead letters",
  cases: [
    {
      number: "60",
      title: "after maxDeliveries there is a dead letter that tells of its origin, and the original is done",
      needs: [...needs, "keys", "message-ids"],
      async run(context) {
        const stream = context.freshStream();
        const dead = await followDeadLetters(context, stream);
        const producer = await context.streamer.createProducer(stream);
        const receipt = await producer.send("failing", {
          key: "k",
          headers: { own: ["1", "", "with, blanks "], other: Uint8Array.of(0, 255) },
          messageId: "its id",
          timestampMs: 1_600_000_000_000,
        });
        await producer.send("fine");
        const counts: number[] = [];
        const stop = new AbortController();
        const consumer = await member(context, stream);
        const run = consumer.run(
          (message) => {
            if (message.text() === "fine") return;
            counts.push(message.deliveryCount);
            throw new Error(`line one\nline two\r\n${"x".repeat(100 * 1024)}`);
          },
          { retry: { maxDeliveries: 3, backoff: () => 1 }, deadLetter: true, signal: stop.signal },
        );
        const [letter] = await take(dead, 1, context.limits.waitMs);
        await eventuallyDone(context, stream, 2, 2);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual(counts, [1, 2, 3]);
        assert.deepEqual([letter?.text(), letter?.key], ["failing", "k"]);
        assert.deepEqual(letter?.headers.getAll("own"), ["1", "", "with, blanks "]);
        assert.deepEqual(Buffer.from(letter?.headers.get("other") ?? ""), Buffer.of(0, 255));
        const { Error: text, Reason: reason, ...rest } = deadLetterHeaders(letter);
        assert.deepEqual(rest, {
          Stream: stream,
          Shard: String(receipt.shardId),
          Sequence: String(receipt.sequence),
          Timestamp: "1600000000000",
          Deliveries: "3",
          Group: GROUP,
          MessageId: "its id",
        });
        assert.ok(reason !== undefined && reason !== "", "the reason is given");
        assert.ok(text !== undefined, "the error's text is given");
        assert.ok(text.includes("line one") && text.includes("line two"), `the error's text: ${text.slice(0, 80)}`);
        assert.ok(Buffer.byteLength(text) <= 1_024 && !/[\r\n]/.test(text), "the error's text is one line of at most 1 KiB");
      },
    },
    {
      number: "60",
      title: "NonRetryableError and term make a dead letter at once, each with its reason",
      needs,
      async run(context) {
        const stream = context.freshStream();
        const dead = await followDeadLetters(context, stream);
        await sendTo(context, stream, ["throws", "terminates"]);
        const counts: number[] = [];
        const stop = new AbortController();
        const consumer = await member(context, stream);
        const run = consumer.run(
          (message) => {
            counts.push(message.deliveryCount);
            if (message.text() === "throws") throw new NonRetryableError("never");
            message.term("of no use");
          },
          { retry: { maxDeliveries: 5 }, deadLetter: true, signal: stop.signal },
        );
        const letters = await take(dead, 2, context.limits.waitMs);
        await eventuallyDone(context, stream, 2, 2);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual(counts, [1, 1]);
        const told = letters.map((letter) => {
          const { Reason, Error: text } = deadLetterHeaders(letter);
          return { text: letter.text(), reason: Reason, error: text };
        });
        told.sort((a, b) => (a.text < b.text ? -1 : 1));
        assert.deepEqual(
          told.map(({ text }) => text),
          ["terminates", "throws"],
        );
        assert.notEqual(told[0]?.reason, told[1]?.reason);
        assert.ok(told[0]?.error?.includes("of no use") && told[1]?.error?.includes("never"), JSON.stringify(told));
      },
    },
    {
      number: "60",
      title: "with discard a message that cannot be handled is dropped, with an event",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        let deliveries = 0;
        const stop = new AbortController();
        const consumer = await member(context, stream);
        const eventsBefore = context.events.length;
        const run = consumer.run(
          (message) => {
            if (message.text() !== "m-1") return;
            deliveries += 1;
            throw new Error("never");
          },
          { retry: { maxDeliveries: 2, backoff: () => 1 }, deadLetter: { discard: true }, signal: stop.signal },
        );
        await eventuallyDone(context, stream, 3, 3);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.equal(deliveries, 2);
        assert.ok(
          context.events.slice(eventsBefore).some((event) => event.level === "warn" || event.level === "error"),
          "nothing tells of the dropped message",
        );
      },
    },
    {
      number: "60",
      title: "a key as deadLetter names the stream of the dead letters",
      needs,
      async run(context) {
        const [stream, letters] = [context.freshStream(), context.freshStream()];
        const dead = await context.streamer.createConsumer(letters);
        await sendTo(context, stream, ["m"]);
        const stop = new AbortController();
        const run = (await member(context, stream)).run(() => Promise.reject(new Error("never")), {
          retry: { maxDeliveries: 1 },
          deadLetter: letters,
          signal: stop.signal,
        });
        assert.deepEqual(texts(await take(dead, 1, context.limits.waitMs)), ["m"]);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
      },
    },
    {
      number: "14",
      title: "stores a dead letter although its origin's id was seen",
      needs: [...needs, "message-ids"],
      async run(context) {
        // The dead letters go into the stream itself, where the window knows the id.
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream);
        await producer.send("m", { messageId: "same" });
        const consumer = await member(context, stream);
        const seen: (string | undefined)[] = [];
        const stop = new AbortController();
        const run = consumer.run(
          (message) => {
            seen.push(message.messageId);
            if (message.messageId === "same") throw new Error("never");
          },
          { retry: { maxDeliveries: 1 }, deadLetter: stream, signal: stop.signal },
        );
        await eventuallyDone(context, stream, 2, 2);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.equal(seen.length, 2);
        assert.notEqual(seen[1], "same");
      },
    },
    {
      number: "14",
      title: "stores a dead letter for each of two messages that had no id",
      needs: [...needs, "message-ids"],
      async run(context) {
        const stream = context.freshStream();
        const dead = await followDeadLetters(context, stream);
        await sendTo(context, stream, numbered("m", 2));
        const stop = new AbortController();
        const run = (await member(context, stream)).run(() => Promise.reject(new Error("never")), {
          retry: { maxDeliveries: 1 },
          deadLetter: true,
          signal: stop.signal,
        });
        assert.deepEqual(texts(await take(dead, 2, context.limits.waitMs)).sort(), numbered("m", 2));
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
      },
    },
  ],
};
