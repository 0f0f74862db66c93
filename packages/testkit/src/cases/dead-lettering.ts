/** Cases 60 (its end), 61, 62 and 67, and 14's dead letter: what becomes of messages that nobody can handle. */
import assert from "node:assert/strict";
import { type Consumer, connect, DeadLetterHeader, type Message, NonRetryableError } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { abandon } from "../fault/abandon.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { eventuallyDone, GROUP, groupState, leases, member } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";

const needs = ["load-balanced", "groups", "settling", "headers", "admin.groupInfo"] as const;

async function send(context: CaseContext, streamKey: string, values: readonly string[]): Promise<void> {
  const producer = await context.streamer.createProducer(streamKey);
  const results = await producer.sendMany(values.map((value) => ({ value })));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await producer.close();
}

/** Follows the dead letters of a stream, from the first. */
async function deadLetters(context: CaseContext, streamKey: string): Promise<Consumer> {
  return context.streamer.createConsumer(`${streamKey}.dlq`, { autoStreamReset: "latest" });
}

function deadLetterHeaders(message: Message | undefined): Record<string, string | undefined> {
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
        const dead = await deadLetters(context, stream);
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
        const dead = await deadLetters(context, stream);
        await send(context, stream, ["throws", "terminates"]);
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
        await send(context, stream, numbered("m", 3));
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
        await send(context, stream, ["m"]);
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
        const dead = await deadLetters(context, stream);
        await send(context, stream, numbered("m", 2));
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
    {
      number: "61",
      title: "dead letters go to another backend where its producer is given",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await using elsewhere = await connect(`memory://dead-letters-${crypto.randomUUID()}`, { drivers: [memory()] });
        const dead = await elsewhere.createConsumer("letters");
        const producer = await elsewhere.createProducer();
        await send(context, stream, numbered("m", 2));
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
        await send(context, stream, numbered("m", 3));
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
        await send(context, stream, ["m"]);
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
    {
      number: "67",
      title: "a message that kills its process is dead-lettered in the end, and none of its neighbours is",
      needs,
      offers: ["shortLeases"],
      caseMs: 120_000,
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        const dead = await deadLetters(context, stream);
        const letters: Message[] = [];
        const reading = (async () => {
          for await (const letter of dead) letters.push(letter);
        })();
        await send(context, stream, numbered("m", 100));
        const killer = "m-37";
        const handled = new Set<string>();
        const isOver = (): boolean => letters.length > 0 && handled.size === 99;
        let lives = 0;
        let counted: boolean | undefined;
        while (!isOver() && lives < 20) {
          lives += 1;
          // As long as by default: much of what was handled is not committed when it dies.
          const consumer = await member(context, stream, { ...options, streamer: await context.connect(), autoCommitIntervalMs: 1_000 });
          let dying = false;
          const stop = new AbortController();
          const run = consumer.run(
            async (message) => {
              if (dying) return new Promise(() => undefined);
              if (message.text() !== killer) return void handled.add(message.text());
              dying = true;
              await abandon(consumer);
              return new Promise(() => undefined);
            },
            { concurrency: 4, retry: { maxDeliveries: 3, backoff: () => 1 }, deadLetter: true, signal: stop.signal, drainTimeoutMs: 1 },
          );
          run.catch(() => undefined);
          await eventually("this life ends", () => dying || isOver(), { limitMs: context.limits.waitMs * 2 });
          counted ??= (await groupState(context, stream, 100)).pending !== undefined;
          stop.abort();
          // Where nobody counts over a process's death, it kills for ever; what is promised there is only that nothing is lost.
          if (!counted && lives === 5) break;
        }
        await dead.close();
        await reading;
        if (counted === false) return;
        assert.deepEqual(texts(letters), [killer]);
        assert.equal(handled.size, 99);
        assert.ok(lives >= 3, `dead-lettered after ${lives} lives`);
      },
    },
    {
      number: "67",
      title: "ten graceful restarts with a full buffer dead-letter nothing, and each message is handled once",
      needs,
      offers: ["shortLeases"],
      caseMs: 120_000,
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context, { idleMs: 60_000, intervalMs: 50 });
        const dead = await deadLetters(context, stream);
        await send(context, stream, numbered("m", 100));
        const handled: string[] = [];
        for (let life = 0; life < 10; life += 1) {
          const consumer = await member(context, stream, { ...options, streamer: await context.connect() });
          const before = handled.length;
          const stop = new AbortController();
          const run = consumer.run(
            (message) => {
              handled.push(message.text());
              stop.abort();
            },
            { retry: { maxDeliveries: 3 }, deadLetter: true, signal: stop.signal },
          );
          await within(run, context.limits.waitMs, `the end of life ${life}`);
          await consumer.close();
          assert.ok(handled.length > before, `nothing was handled in life ${life}`);
        }
        const stop = new AbortController();
        const last = await member(context, stream, options);
        const run = last.run((message) => void handled.push(message.text()), {
          retry: { maxDeliveries: 3 },
          deadLetter: true,
          signal: stop.signal,
        });
        await eventuallyDone(context, stream, 100, 100);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual([...handled].sort(), numbered("m", 100).sort());
        const none = dead.next({ signal: AbortSignal.timeout(1) });
        await failsWith("aborted", () => none);
      },
    },
  ],
};
