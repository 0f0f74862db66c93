/** Case 67: a message that kills its process, and its neighbours. */
import assert from "node:assert/strict";
import type { Consumer, Message, RunOptions } from "@seaway/core";
import type { Chapter, ConformanceCase } from "../conformance/conformance-case.ts";
import { abandon } from "../fault/abandon.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { followDeadLetters } from "./dead-lettering.ts";
import { failsWith, turn } from "./expecting.ts";
import { eventuallyDone, groupState, leases, member } from "./grouping.ts";
import { numbered, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "headers", "admin.groupInfo"] as const;

/** Ways to run: a killer takes other neighbours with it in each. */
const ways: readonly (readonly [name: string, options: RunOptions<Uint8Array>])[] = [
  ["side by side", { concurrency: 4 }],
  ["in order", { concurrency: 4, orderBy: "shard" }],
  ["in batches", { batch: { maxMessages: 10, maxWaitMs: 20 } }],
];

/** Runs a consumer with a handler for messages or batches, as the options say. */
function runEither(consumer: Consumer, handler: (messages: readonly Message[]) => unknown, options: RunOptions<Uint8Array>): Promise<void> {
  const { batch, ...others } = options;
  return batch === undefined ? consumer.run((message) => handler([message]), others) : consumer.run(handler, { ...others, batch });
}

function killerAmong(name: string, way: RunOptions<Uint8Array>): ConformanceCase {
  return {
    number: "67",
    title: `a message that kills its process is dead-lettered in the end, and none of its neighbours is: handled ${name}`,
    needs,
    offers: ["shortLeases"],
    caseMs: 120_000,
    async run(context) {
      const stream = context.freshStream();
      const { options } = leases(context);
      const dead = await followDeadLetters(context, stream);
      const letters: Message[] = [];
      const reading = (async () => {
        for await (const letter of dead) letters.push(letter);
      })();
      await sendTo(context, stream, numbered("m", 100));
      const killer = "m-37";
      const handled = new Set<string>();
      // Also when a neighbour is among the dead letters: no life will mend that.
      const isOver = (): boolean => letters.some((letter) => letter.text() !== killer) || (letters.length > 0 && handled.size === 99);
      let lives = 0;
      let counted: boolean | undefined;
      while (!isOver() && lives < 20) {
        lives += 1;
        // As long as by default: much of what was handled is not committed when it dies.
        const consumer = await member(context, stream, { ...options, streamer: await context.connect(), autoCommitIntervalMs: 1_000 });
        let dying = false;
        const stop = new AbortController();
        const handler = async (messages: readonly Message[]): Promise<void> => {
          // Others are in the middle of their work when it dies.
          await turn();
          if (texts(messages).includes(killer)) {
            dying = true;
            await abandon(consumer);
          }
          if (dying) await new Promise(() => undefined);
          for (const text of texts(messages)) handled.add(text);
        };
        const run = runEither(consumer, handler, {
          ...way,
          retry: { maxDeliveries: 3, backoff: () => 1 },
          deadLetter: true,
          signal: stop.signal,
          drainTimeoutMs: 1,
        });
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
  };
}

export const killing: Chapter = {
  title: "killers",
  cases: [
    ...ways.map(([name, way]) => killerAmong(name, way)),
    {
      number: "67",
      title: "ten graceful restarts with a full buffer dead-letter nothing, and each message is handled once",
      needs,
      offers: ["shortLeases"],
      caseMs: 120_000,
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context, { idleMs: 60_000, intervalMs: 50 });
        const dead = await followDeadLetters(context, stream);
        await sendTo(context, stream, numbered("m", 100));
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
