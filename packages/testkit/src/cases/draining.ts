/** Case 66: how a run stops. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { eventuallyDone, groupState, member, startGathering } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { finish, start } from "./runs.ts";
import { sendTo } from "./sending.ts";

const needs = ["load-balanced", "groups", "settling", "admin.groupInfo"] as const;

export const draining: Chapter = {
  title: "draining",
  cases: [
    {
      number: "66",
      title: "an abort drains: running handlers finish, what waits is given back, and run resolves",
      needs,
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 20));
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
        await sendTo(context, stream, numbered("m", 3));
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
  ],
};
