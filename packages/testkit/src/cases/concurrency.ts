/** Cases 63 and 64: how many handlers there are at once, and in which order. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { turn } from "./expecting.ts";
import { eventuallyDone, member } from "./grouping.ts";
import { numbered } from "./reading.ts";
import { finish, start } from "./runs.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const concurrency: Chapter = {
  title: "concurrency and order",
  cases: [
    {
      number: "63",
      title: "runs as many handlers at once as concurrency says, and no more",
      needs,
      async run(context) {
        for (const concurrency of [1, 4]) {
          const stream = context.freshStream();
          await sendTo(context, stream, numbered("m", 40));
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
      number: "63",
      title: "handlers that are over their time and do not end count: there are never more than concurrency of them",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        const late = Promise.withResolvers<void>();
        const started: string[] = [];
        const errors: unknown[] = [];
        const run = start(
          await member(context, stream),
          (message) => {
            started.push(message.text());
            return started.length === 1 ? late.promise : undefined;
          },
          { handlerTimeoutMs: 100, retry: { backoff: () => 1 }, onError: (error) => errors.push(error) },
        );
        await eventually("the handler is over its time", () => errors.length === 1, { limitMs: context.limits.waitMs });
        for (let turns = 0; turns < 20; turns += 1) await turn();
        assert.deepEqual(started, ["m-0"], "another one was started beside it");
        late.resolve();
        await eventuallyDone(context, stream, 3, 3);
        await finish(context, run);
        assert.deepEqual([...started].sort(), ["m-0", "m-0", "m-1", "m-2"]);
      },
    },
    {
      number: "64",
      title: "orderBy key keeps each key's order while other keys run in parallel",
      needs: [...needs, "keys"],
      async run(context) {
        const stream = context.freshStream();
        const keys = ["a", "b", "c"];
        await sendTo(
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
        await sendTo(
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
  ],
};
