/** Cases 74 to 76: how things end. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { interceptDriver } from "../fault/intercept-driver.ts";
import { overriding } from "../fault/overriding.ts";
import { within } from "../wait/within.ts";
import { runInChild } from "./child-process.ts";
import { failsWith } from "./expecting.ts";
import { numbered, take, texts } from "./reading.ts";

export const lifetime: Chapter = {
  title: "lifetime",
  cases: [
    {
      number: "74",
      title: "await using closes, and what is closed says so",
      async run(context) {
        const stream = context.freshStream();
        const observer = await context.streamer.createConsumer(stream);
        const streamer = await context.connect();
        const scope = async () => {
          await using own = streamer;
          await using consumer = await own.createConsumer(stream);
          await using producer = await own.createProducer(stream);
          producer.enqueue("left behind");
          return { consumer, producer };
        };
        const { consumer, producer } = await within(scope(), context.limits.waitMs, "leaving the scope");
        await failsWith("closed", () => producer.send("late"));
        await failsWith("closed", () => consumer.next());
        await failsWith("closed", () => streamer.createProducer(stream));
        await failsWith("closed", () => streamer.createConsumer(stream));
        await failsWith("closed", () => streamer.ping());
        assert.deepEqual(texts(await take(observer, 1, context.limits.waitMs)), ["left behind"], "disposal flushes");
      },
    },
    {
      number: "75",
      title: "closing a streamer sends what is left, closes its children, and each once",
      async run(context) {
        const closed = { connection: 0, producer: 0, consumer: 0 };
        const counting = interceptDriver(context.harness.driver, {
          connection: (connection) =>
            overriding(connection, {
              close: (call) => {
                closed.connection += 1;
                return connection.close(call);
              },
            }),
          producer: (producer) =>
            overriding(producer, {
              close: (call) => {
                closed.producer += 1;
                return producer.close(call);
              },
            }),
          consumer: (consumer) =>
            overriding(consumer, {
              close: (call) => {
                closed.consumer += 1;
                return consumer.close(call);
              },
            }),
        });
        const stream = context.freshStream();
        const observer = await context.streamer.createConsumer(stream);
        const streamer = await context.connectThrough(counting);
        const producers = [await streamer.createProducer(stream), await streamer.createProducer(stream)];
        const consumers = [await streamer.createConsumer(stream), await streamer.createConsumer(stream)];
        await producers[1]?.close();
        await consumers[1]?.close();
        const receipts = numbered("m", 100).map((text) => producers[0]?.send(text));
        const pending = failsWith("closed", async () => {
          for (;;) await consumers[0]?.next();
        });
        await within(Promise.all([streamer.close(), streamer.close()]), context.limits.waitMs, "close");
        await streamer.close();
        await producers[0]?.close();
        await consumers[0]?.close();
        assert.deepEqual(closed, { connection: 1, producer: 2, consumer: 2 });
        await within(Promise.all(receipts), context.limits.waitMs, "receipts of what was sent before close");
        await within(pending, context.limits.waitMs, "the pending read");
        await failsWith("closed", () => streamer.createConsumer(stream));
        assert.deepEqual(texts(await take(observer, 100, context.limits.waitMs)), numbered("m", 100));
      },
    },
    {
      number: "75",
      title: "closing one streamer leaves another alone",
      async run(context) {
        const stream = context.freshStream();
        const other = await context.connect();
        const consumer = await context.streamer.createConsumer(stream);
        await other.createConsumer(stream);
        await other.close();
        await (await context.streamer.createProducer(stream)).send("still here");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["still here"]);
        await context.streamer.ping();
      },
    },
    {
      number: "75",
      title: "an aborted close gives back at once",
      async run(context) {
        const streamer = await context.connect();
        await streamer.createConsumer(context.freshStream());
        const closing = streamer.close({ signal: AbortSignal.abort() });
        await within(
          closing.catch((error: unknown) => failsWith("aborted", () => Promise.reject(error))),
          context.limits.waitMs,
          "the aborted close",
        );
        await within(streamer.close(), context.limits.waitMs, "close");
      },
    },
    {
      number: "76",
      title: "after close the process exits by itself",
      offers: ["child"],
      async run(context) {
        const outcome = await runInChild(context, { task: "pass", count: 100 });
        assert.equal(outcome.passed, 100);
        assert.equal(outcome.listeners, 0, "listeners left on the program's signal");
        assert.equal(outcome.processListeners, 0, "listeners left on process");
      },
    },
    {
      number: "76",
      title: "many auto-named consumers leave no handle, timer or listener behind",
      offers: ["child"],
      caseMs: 240_000,
      async run(context) {
        const outcome = await runInChild(context, { task: "consumers", count: context.limits.manyConsumers });
        assert.equal(outcome.passed, context.limits.manyConsumers);
        assert.equal(outcome.listeners, 0, "listeners left on the program's signal");
        assert.equal(outcome.processListeners, 0, "listeners left on process");
        const left = outcome.resourcesAfter.length - outcome.resourcesBefore.length;
        assert.ok(left <= 0, `${left} resources more after ${outcome.passed} consumers: ${outcome.resourcesAfter.join(", ")}`);
      },
    },
  ],
};
