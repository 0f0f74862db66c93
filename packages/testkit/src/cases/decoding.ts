/** Case 68: messages that cannot be decoded, by each policy. */
import assert from "node:assert/strict";
import { json } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { eventuallyDone, groupState, member } from "./grouping.ts";
import { take } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;
const GOOD = [1, 2, 3];
const BAD = "this is no JSON";

/** Four messages, the second of which is no JSON. */
async function withOneBad(context: CaseContext): Promise<string> {
  const stream = context.freshStream();
  await sendTo(context, stream, ["1", BAD, "2", "3"]);
  return stream;
}

function rawOf(message: { readonly payload: Uint8Array } | undefined): string {
  return Buffer.from(message?.payload ?? []).toString("utf8");
}

export const decoding: Chapter = {
  title: "decoding",
  cases: [
    {
      number: "68",
      title: "throw: the read rejects, the next goes on after it, and the message comes again; asking for the next does not ack it",
      needs,
      async run(context) {
        const stream = await withOneBad(context);
        const consumer = await member(context, stream, { codec: json<number>(), autoCommit: "on-next" });
        const values: unknown[] = [];
        let failures = 0;
        const signal = AbortSignal.timeout(context.limits.waitMs * 2);
        // It comes again with a backoff of about a second.
        while (failures < 2 || values.length < 3) {
          try {
            values.push((await consumer.next({ signal })).value);
          } catch (error) {
            await failsWith("decode-failed", () => Promise.reject(error));
            failures += 1;
          }
        }
        assert.deepEqual(values, GOOD);
        await consumer.close();
        // The third good one was held and is not acked; the bad one never is.
        assert.ok((await groupState(context, stream, 4)).done <= 3);
        const raw = await member(context, stream);
        assert.ok((await take(raw, 1, context.limits.waitMs)).length === 1);
        await raw.close();
        const rest = await member(context, stream);
        const left = await take(rest, 4 - (await groupState(context, stream, 4)).done, context.limits.waitMs).catch(() => []);
        assert.ok(
          left.some((message) => rawOf(message) === BAD),
          "the message that cannot be decoded was lost",
        );
      },
    },
    {
      number: "68",
      title: "throw inside run: it is retried, and the others are handled",
      needs,
      async run(context) {
        const stream = await withOneBad(context);
        const consumer = await member(context, stream, { codec: json<number>(), onDecodeError: "throw" });
        const values: unknown[] = [];
        const errors: unknown[] = [];
        const stop = new AbortController();
        const run = consumer.run((message) => void values.push(message.value), {
          signal: stop.signal,
          retry: { backoff: () => 10 },
          onError: (error) => errors.push(error),
        });
        await eventuallyDone(context, stream, 4, 3);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual(values, GOOD);
        assert.ok(errors.length >= 1);
        await failsWith("decode-failed", () => Promise.reject(errors[0]));
      },
    },
    {
      number: "68",
      title: "term: it is dropped, with an event",
      needs,
      async run(context) {
        const stream = await withOneBad(context);
        const consumer = await member(context, stream, { codec: json<number>(), onDecodeError: "term" });
        const eventsBefore = context.events.length;
        const messages = await take(consumer, 3, context.limits.waitMs);
        assert.deepEqual(
          messages.map((message) => message.value),
          GOOD,
        );
        consumer.ackMany(messages);
        await consumer.commit();
        assert.equal((await groupState(context, stream, 4)).done, 4);
        assert.ok(
          context.events.slice(eventsBefore).some((event) => event.level === "warn"),
          "dropped in silence",
        );
      },
    },
    {
      number: "68",
      title: "raw: it is handed over as bytes",
      needs,
      async run(context) {
        const stream = await withOneBad(context);
        const consumer = await member(context, stream, { codec: json<number>(), onDecodeError: "raw" });
        const messages = await take(consumer, 4, context.limits.waitMs);
        assert.equal(rawOf(messages[1]), BAD);
        assert.deepEqual(
          messages.filter((_, index) => index !== 1).map((message) => message.value),
          GOOD,
        );
        for (const message of messages) assert.equal(message.ack(), true);
      },
    },
    {
      number: "68",
      title: "dead-letter: its bytes are among the dead letters as they were, which is the default of a run that has one",
      needs: [...needs, "headers"],
      async run(context) {
        for (const onDecodeError of [undefined, "dead-letter"] as const) {
          const stream = await withOneBad(context);
          const dead = await context.streamer.createConsumer(`${stream}.dlq`);
          const consumer = await member(context, stream, { codec: json<number>(), onDecodeError });
          const values: unknown[] = [];
          const stop = new AbortController();
          const run = consumer.run((message) => void values.push(message.value), { deadLetter: true, signal: stop.signal });
          const [letter] = await take(dead, 1, context.limits.waitMs);
          assert.equal(rawOf(letter), BAD);
          await eventuallyDone(context, stream, 4, 4);
          stop.abort();
          await within(run, context.limits.waitMs, "the end of run");
          assert.deepEqual(values, GOOD);
        }
      },
    },
    {
      number: "68",
      title: "a batch handler is spared what cannot be decoded",
      needs: [...needs, "headers"],
      async run(context) {
        const stream = await withOneBad(context);
        const dead = await context.streamer.createConsumer(`${stream}.dlq`);
        const consumer = await member(context, stream, { codec: json<number>() });
        const values: unknown[] = [];
        const stop = new AbortController();
        const run = consumer.run((messages) => void values.push(...messages.map((message) => message.value)), {
          deadLetter: true,
          batch: { maxMessages: 4, maxWaitMs: 20 },
          signal: stop.signal,
        });
        assert.equal(rawOf((await take(dead, 1, context.limits.waitMs))[0]), BAD);
        await eventuallyDone(context, stream, 4, 4);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual(values, GOOD);
      },
    },
  ],
};
