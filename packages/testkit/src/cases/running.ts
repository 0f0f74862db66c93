/** Cases 60 and 63 to 66: `run`: what a handler's end means, how many there are at once, in which order, and how it stops. */
import assert from "node:assert/strict";
import { type Consumer, type HandlerContext, type Message, NonRetryableError, type RunOptions } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith, turn } from "./expecting.ts";
import { eventuallyDone, groupState, leases, member, startGathering, timePasses } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

/** Node's timers may strike so much before their time. */
const TIMER_SLACK_MS = 5;

async function send(
  context: CaseContext,
  streamKey: string,
  entries: readonly { readonly value: string; readonly key?: string }[],
): Promise<void> {
  const producer = await context.streamer.createProducer(streamKey);
  for (const { value, ...options } of entries) await producer.send(value, options);
  await producer.close();
}

function values(...texts: readonly string[]): { readonly value: string }[] {
  return texts.map((value) => ({ value }));
}

/** A run that a case stops. */
interface Running {
  stop(): void;
  /** Resolves when `run` has. */
  readonly ended: Promise<void>;
}

function start(
  consumer: Consumer,
  handler: (message: Message, handling: HandlerContext) => unknown,
  options: RunOptions<Uint8Array> & { readonly batch?: undefined } = {},
): Running {
  const stopping = new AbortController();
  const ended = consumer.run(handler, { ...options, signal: stopping.signal });
  ended.catch(() => undefined);
  return { stop: () => stopping.abort(), ended };
}

async function finish(context: CaseContext, running: Running): Promise<void> {
  running.stop();
  await within(running.ended, context.limits.waitMs, "the end of run");
}

export const running: Chapter = {
  title: "running",
  cases: [
    {
      number: "60",
      title: "acks when the handler returns, whether at once or later",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values(...numbered("m", 20)));
        const handled: string[] = [];
        const run = start(await member(context, stream), (message) => {
          if (message.sequence % 2n === 0n) return turn().then(() => void handled.push(message.text()));
          return handled.push(message.text());
        });
        await eventuallyDone(context, stream, 20, 20);
        await finish(context, run);
        assert.deepEqual(handled, numbered("m", 20));
      },
    },
    {
      number: "60",
      title: "settles by itself under on-next, delayed and rolling; disabled is refused",
      needs,
      async run(context) {
        for (const autoCommit of ["on-next", "delayed", "rolling"] as const) {
          const stream = context.freshStream();
          await send(context, stream, values(...numbered("m", 3)));
          const consumer = await member(context, stream, { autoCommit, autoCommitDelayMs: 1, autoCommitIntervalMs: 10 });
          const release = Promise.withResolvers<void>();
          const run = start(consumer, (message) => (message.text() === "m-1" ? release.promise : undefined));
          await eventuallyDone(context, stream, 3, 1);
          // It is neither acked for its age nor because the next is asked for.
          await timePasses(30, context);
          assert.equal((await groupState(context, stream, 3)).done, 1, autoCommit);
          release.resolve();
          await eventuallyDone(context, stream, 3, 3);
          await finish(context, run);
        }
        const disabled = await member(context, context.freshStream(), { autoCommit: "disabled" });
        await failsWith("invalid-option", () => disabled.run(() => undefined));
      },
    },
    {
      number: "60",
      title: "under immediate a failing handler's message comes again from here",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("m"));
        const counts: number[] = [];
        const run = start(
          await member(context, stream, { autoCommit: "immediate" }),
          (message) => {
            counts.push(message.deliveryCount);
            if (counts.length < 3) throw new Error("not yet");
          },
          { retry: { backoff: () => 1 } },
        );
        await eventually("the third delivery", () => counts.length >= 3, { limitMs: context.limits.waitMs });
        await finish(context, run);
        assert.deepEqual(counts, [1, 2, 3]);
      },
    },
    {
      number: "60",
      title: "naks with backoff when the handler throws, never sooner, and goes on with others meanwhile",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("failing", "other"));
        const starts: number[] = [];
        const counts: number[] = [];
        const order: string[] = [];
        const errors: unknown[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            order.push(message.text());
            if (message.text() !== "failing") return;
            starts.push(performance.now());
            counts.push(message.deliveryCount);
            if (starts.length <= 3) throw new Error(`failure ${starts.length}`);
          },
          { retry: { backoff: (deliveries) => deliveries * 100 }, onError: (error) => errors.push(error) },
        );
        await eventuallyDone(context, stream, 2, 2);
        await finish(context, run);
        assert.deepEqual(counts, [1, 2, 3, 4]);
        assert.deepEqual(order.slice(0, 2), ["failing", "other"]);
        for (const [index, least] of [100, 200, 300].entries()) {
          const gap = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
          assert.ok(gap >= least - TIMER_SLACK_MS, `delivery ${index + 2} came after ${gap} ms, not ${least}`);
        }
        assert.deepEqual(
          errors.map((error) => (error instanceof Error ? error.message : error)),
          [1, 2, 3].map((count) => `failure ${count}`),
        );
      },
    },
    {
      number: "60",
      title: "never retries in a hot loop: the default backoff is about a second",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("m"));
        const starts: number[] = [];
        const run = start(await member(context, stream), () => {
          starts.push(performance.now());
          if (starts.length === 1) throw new Error("once");
        });
        await eventually("the second delivery", () => starts.length >= 2, { limitMs: context.limits.waitMs });
        await finish(context, run);
        assert.ok((starts[1] ?? 0) - (starts[0] ?? 0) >= 500 - TIMER_SLACK_MS);
      },
    },
    {
      number: "60",
      title: "what the handler settled itself stays so",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("acked", "nak'ed", "terminated", "last"));
        const handled: string[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            handled.push(message.text());
            if (message.text() === "acked") {
              message.ack();
              throw new Error("after its ack");
            }
            if (message.text() === "nak'ed" && message.deliveryCount === 1) message.nak();
            if (message.text() === "terminated") message.term();
          },
          { retry: { backoff: () => 1 } },
        );
        await eventuallyDone(context, stream, 4, 4);
        await finish(context, run);
        const times = (text: string): number => handled.filter((each) => each === text).length;
        assert.deepEqual([times("acked"), times("nak'ed"), times("terminated"), times("last")], [1, 2, 1, 1]);
      },
    },
    {
      number: "60",
      title: "retries for ever without a dead letter; maxDeliveries without one is invalid-option",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("m"));
        const consumer = await member(context, stream);
        await failsWith("invalid-option", () => consumer.run(() => undefined, { retry: { maxDeliveries: 2 } }));
        let count = 0;
        const run = start(
          consumer,
          () => {
            count += 1;
            throw count % 2 === 0 ? new NonRetryableError("it says so") : new Error("again");
          },
          { retry: { backoff: () => 0 } },
        );
        await eventually("twelve deliveries", () => count >= 12, { limitMs: context.limits.waitMs });
        await finish(context, run);
        await consumer.close();
        assert.deepEqual(texts(await take(await member(context, stream), 1, context.limits.waitMs)), ["m"]);
      },
    },
    {
      number: "60",
      title: "runs middleware around the handler, and its failure counts",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("m"));
        const steps: string[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            steps.push(`handler ${message.deliveryCount}`);
          },
          {
            retry: { backoff: () => 1 },
            middleware: [
              async (message, next) => {
                steps.push("first");
                await next();
                steps.push("first, after");
                if (message.deliveryCount === 1) throw new Error("the middleware's own");
              },
              async (_, next) => {
                steps.push("second");
                await next();
              },
            ],
          },
        );
        await eventuallyDone(context, stream, 1, 1);
        await finish(context, run);
        assert.deepEqual(steps, ["first", "second", "handler 1", "first, after", "first", "second", "handler 2", "first, after"]);
      },
    },
    {
      number: "60",
      title: "a handler over handlerTimeoutMs is aborted and its message comes again; its late return is ignored",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values("m"));
        const late = Promise.withResolvers<void>();
        const counts: number[] = [];
        let aborted = false;
        const errors: unknown[] = [];
        const second = Promise.withResolvers<void>();
        const run = start(
          await member(context, stream, { autoCommitIntervalMs: 10 }),
          async (message, { signal }) => {
            counts.push(message.deliveryCount);
            if (counts.length > 1) return second.promise;
            signal.addEventListener("abort", () => {
              aborted = true;
            });
            await late.promise;
          },
          { concurrency: 2, handlerTimeoutMs: 200, retry: { backoff: () => 1 }, onError: (error) => errors.push(error) },
        );
        await eventually("the second delivery", () => counts.length === 2, { limitMs: context.limits.waitMs });
        assert.equal(aborted, true);
        assert.equal(errors.length, 1);
        late.resolve();
        for (let turns = 0; turns < 10; turns += 1) await turn();
        assert.equal((await groupState(context, stream, 1)).done, 0, "the late return acked the message");
        second.resolve();
        await eventuallyDone(context, stream, 1, 1);
        await finish(context, run);
        assert.deepEqual(counts, [1, 2]);
      },
    },
    {
      number: "63",
      title: "runs as many handlers at once as concurrency says, and no more",
      needs,
      async run(context) {
        for (const concurrency of [1, 4]) {
          const stream = context.freshStream();
          await send(context, stream, values(...numbered("m", 40)));
          let active = 0;
          let most = 0;
          const full = Promise.withResolvers<void>();
          const run = start(
            await member(context, stream),
            async () => {
              active += 1;
              most = Math.max(most, active);
              if (active === concurrency) full.resolve();
              // The first ones wait for each other: concurrency is reached, or this never goes on.
              await full.promise;
              await turn();
              active -= 1;
            },
            { concurrency },
          );
          await eventuallyDone(context, stream, 40, 40);
          await finish(context, run);
          assert.equal(most, concurrency);
        }
      },
    },
    {
      number: "64",
      title: "orderBy key keeps each key's order while other keys run in parallel",
      needs: [...needs, "keys"],
      async run(context) {
        const stream = context.freshStream();
        const keys = ["a", "b", "c"];
        await send(
          context,
          stream,
          numbered("m", 30).map((value, index) => ({ value, key: keys[index % 3] ?? "" })),
        );
        const done = new Map<string, string[]>(keys.map((key) => [key, []]));
        const active = new Set<string>();
        const all = Promise.withResolvers<void>();
        const run = start(
          await member(context, stream),
          async (message) => {
            const key = message.key ?? "";
            assert.ok(!active.has(key), `two messages of key ${key} at once`);
            active.add(key);
            if (active.size === 3) all.resolve();
            await all.promise;
            await turn();
            active.delete(key);
            done.get(key)?.push(message.text());
          },
          { concurrency: 8, orderBy: "key" },
        );
        await eventuallyDone(context, stream, 30, 30);
        await finish(context, run);
        for (const [index, key] of keys.entries()) {
          assert.deepEqual(
            done.get(key),
            numbered("m", 30).filter((_, at) => at % 3 === index),
          );
        }
      },
    },
    {
      number: "64",
      title: "a failing message holds back its own key only",
      needs: [...needs, "keys"],
      async run(context) {
        const stream = context.freshStream();
        await send(
          context,
          stream,
          numbered("m", 20).map((value, index) => ({ value, key: index % 2 === 0 ? "failing" : "fine" })),
        );
        const order: string[] = [];
        const fine = numbered("m", 20).filter((_, index) => index % 2 === 1);
        let failures = 0;
        const run = start(
          await member(context, stream),
          async (message) => {
            await turn();
            // The first one fails until every message of the other key is through.
            if (message.text() === "m-0" && !fine.every((text) => order.includes(text))) {
              failures += 1;
              throw new Error("not before the others");
            }
            order.push(message.text());
          },
          { concurrency: 4, orderBy: "key", retry: { backoff: () => 5 } },
        );
        await eventuallyDone(context, stream, 20, 20);
        await finish(context, run);
        assert.ok(failures > 0);
        assert.deepEqual(order.slice(0, 10), fine);
        assert.deepEqual(
          order.slice(10),
          numbered("m", 20).filter((_, index) => index % 2 === 0),
        );
      },
    },
    {
      number: "64",
      title: "orderBy shard keeps each shard's order, failures included",
      needs: [...needs, "shards"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: 3 });
        for (const [index, text] of numbered("m", 30).entries()) await producer.send(text, { shard: index % 3 });
        const done = new Map<number, string[]>();
        const run = start(
          await member(context, stream),
          async (message) => {
            await turn();
            if (message.deliveryCount === 1 && Number(message.text().slice(2)) % 4 === 0) throw new Error("once");
            done.set(message.shardId, [...(done.get(message.shardId) ?? []), message.text()]);
          },
          { concurrency: 5, orderBy: "shard", retry: { backoff: () => 1 } },
        );
        await eventuallyDone(context, stream, 30, 30);
        await finish(context, run);
        for (const shard of [0, 1, 2]) {
          assert.deepEqual(
            done.get(shard),
            numbered("m", 30).filter((_, index) => index % 3 === shard),
            `shard ${shard}`,
          );
        }
      },
    },
    {
      number: "65",
      title: "a slow handler keeps its message, and those behind it wait",
      needs,
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options, leaseMs } = leases(context);
        await send(context, stream, values(...numbered("m", 10)));
        const slow = await member(context, stream, { ...options, streamer: await context.connect() });
        const handled: string[] = [];
        const started = Promise.withResolvers<void>();
        const run = start(slow, async (message, { signal }) => {
          handled.push(message.text());
          if (handled.length > 1) return;
          started.resolve();
          await timePasses(leaseMs * 3, context);
          assert.equal(signal.aborted, false);
        });
        await within(started.promise, context.limits.waitMs, "the first handler");
        const beside = startGathering(context, [await member(context, stream, options)]);
        await eventuallyDone(context, stream, 10, 10);
        await finish(context, run);
        const others = texts((await beside.stop()).map(({ message }) => message));
        assert.deepEqual([...handled, ...others].sort(), numbered("m", 10));
        assert.equal(handled[0], "m-0");
      },
    },
    {
      number: "66",
      title: "an abort drains: running handlers finish, what waits is given back, and run resolves",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values(...numbered("m", 20)));
        const consumer = await member(context, stream, { streamer: await context.connect() });
        const release = Promise.withResolvers<void>();
        const started: string[] = [];
        const aborted: boolean[] = [];
        const run = start(
          consumer,
          async (message, { signal }) => {
            started.push(message.text());
            await release.promise;
            aborted.push(signal.aborted);
          },
          { concurrency: 3 },
        );
        await eventually("three handlers", () => started.length === 3, { limitMs: context.limits.waitMs });
        run.stop();
        const other = startGathering(context, [await member(context, stream)]);
        await other.until("what waited behind the handlers", () => other.all.length === 17);
        release.resolve();
        await within(run.ended, context.limits.waitMs, "the end of run");
        assert.deepEqual(started, numbered("m", 3));
        assert.deepEqual(aborted, [false, false, false]);
        await consumer.commit();
        const gathered = (await other.stop()).map(({ message }) => message);
        assert.deepEqual(texts(gathered).sort(), numbered("m", 17, 3).sort());
        if (context.capabilities.nak !== "native") for (const message of gathered) assert.equal(message.deliveryCount, 1);
        await eventuallyDone(context, stream, 20, 20);
      },
    },
    {
      number: "66",
      title: "handlers that do not finish are aborted at the drain deadline, and their messages are not acked",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values(...numbered("m", 3)));
        const consumer = await member(context, stream, { streamer: await context.connect() });
        let reason: unknown;
        const started = Promise.withResolvers<void>();
        const run = start(
          consumer,
          (_, { signal }) => {
            started.resolve();
            return new Promise<void>((_resolve, reject) => {
              signal.addEventListener("abort", () => {
                reason = signal.reason;
                reject(signal.reason);
              });
            });
          },
          { drainTimeoutMs: 100 },
        );
        await within(started.promise, context.limits.waitMs, "the handler's start");
        await finish(context, run);
        assert.ok(reason !== undefined, "its signal did not abort");
        await consumer.close();
        assert.equal((await groupState(context, stream, 3)).done, 0);
        assert.deepEqual(texts(await take(await member(context, stream), 3, context.limits.waitMs)).sort(), numbered("m", 3));
      },
    },
    {
      number: "66",
      title: "closing the consumer ends its run; one run at a time",
      needs,
      async run(context) {
        const stream = context.freshStream();
        const consumer = await member(context, stream);
        const run = start(consumer, () => undefined);
        await failsWith("consumer-busy", () => consumer.run(() => undefined));
        await failsWith("consumer-busy", () => consumer.next());
        await within(consumer.close(), context.limits.waitMs, "close");
        await within(run.ended, context.limits.waitMs, "the end of run");
      },
    },
    {
      number: "68b",
      title: "hands batches over, each of at most maxMessages, in order, and acks them on return",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values(...numbered("m", 25)));
        const consumer = await member(context, stream);
        const batches: string[][] = [];
        const stop = new AbortController();
        const run = consumer.run((messages) => void batches.push(texts(messages)), {
          batch: { maxMessages: 10, maxWaitMs: 50 },
          signal: stop.signal,
        });
        await eventuallyDone(context, stream, 25, 25);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.deepEqual(batches.flat(), numbered("m", 25));
        for (const batch of batches) assert.ok(batch.length >= 1 && batch.length <= 10, `a batch of ${batch.length}`);
        assert.ok(batches.length < 25, "no batch had two messages");
      },
    },
    {
      number: "68b",
      title: "settles a batch's messages one by one: those the handler settled stay so, the rest come again when it throws",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await send(context, stream, values(...numbered("m", 6)));
        const consumer = await member(context, stream);
        const seen: string[] = [];
        let first: readonly string[] | undefined;
        const stop = new AbortController();
        const run = consumer.run(
          (messages) => {
            seen.push(...texts(messages));
            if (first !== undefined) return;
            first = texts(messages);
            messages[0]?.ack();
            messages[1]?.term();
            throw new Error("the batch's own");
          },
          { batch: { maxMessages: 6, maxWaitMs: 500 }, retry: { backoff: () => 1 }, signal: stop.signal },
        );
        await eventuallyDone(context, stream, 6, 6);
        stop.abort();
        await within(run, context.limits.waitMs, "the end of run");
        assert.ok((first?.length ?? 0) > 2, `a first batch of ${first?.length}`);
        for (const text of numbered("m", 6)) {
          const times = seen.filter((each) => each === text).length;
          const index = first?.indexOf(text) ?? -1;
          assert.equal(times, index >= 2 ? 2 : 1, `${text} was handled ${times} times`);
        }
      },
    },
  ],
};
