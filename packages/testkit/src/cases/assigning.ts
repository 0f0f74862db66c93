/** Case 57: assign and unassign. */
import assert from "node:assert/strict";
import type { Receipt } from "@seaway/core";
import type { Chapter } from "../conformance/conformance-case.ts";
import { failsWith } from "./expecting.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";

export const assigning: Chapter = {
  title: "assigning",
  cases: [
    {
      number: "57",
      title: "keeps to the assigned streams from the next rewind on, until they are unassigned",
      needs: ["seek"],
      async run(context) {
        const [one, two, other] = [context.freshStream(), context.freshStream(), context.freshStream()];
        const producer = await context.streamer.createProducer();
        for (const text of numbered("m", 5)) for (const stream of [one, two]) await producer.sendTo(stream, `${text} ${stream}`);
        const consumer = await context.streamer.createConsumer([one, two], { autoStreamReset: "earliest" });
        await failsWith("stream-key-not-found", () => consumer.assign(other, 0));
        await failsWith("not-assigned", () => consumer.unassign(one, 0));
        consumer.assign(one, 0);
        assert.equal((await take(consumer, 10, context.limits.waitMs)).length, 10, "assign takes effect at the next rewind only");
        await consumer.rewind("beginning");
        await producer.sendTo(two, "not read");
        await producer.sendTo(one, "end");
        assert.deepEqual(
          texts(await takeUpTo(consumer, "end", context.limits.waitMs)),
          numbered("m", 5).map((text) => `${text} ${one}`),
        );
        consumer.assign(two, 0);
        consumer.unassign(one, 0);
        await consumer.rewind("beginning");
        await producer.sendTo(two, "end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), [
          ...numbered("m", 5).map((text) => `${text} ${two}`),
          "not read",
        ]);
        consumer.unassign(two, 0);
        await consumer.rewind("beginning");
        assert.equal((await take(consumer, 13, context.limits.waitMs)).length, 13, "nothing assigned: everything");
      },
    },
    {
      number: "57",
      title: "keeps to an assigned shard, which one sequence then places",
      needs: ["seek", "shards"],
      async run(context) {
        const stream = context.freshStream();
        const producer = await context.streamer.createProducer(stream, { shards: 3 });
        const sent: Receipt[] = [];
        for (const text of numbered("m", 5)) for (const shard of [0, 1, 2]) sent.push(await producer.send(`${text} ${shard}`, { shard }));
        const consumer = await context.streamer.createConsumer(stream);
        consumer.assign(stream, 1);
        await consumer.rewind({ at: sent.filter((receipt) => receipt.shardId === 1)[3]?.sequence ?? 0n });
        for (const shard of [0, 2, 1]) await producer.send("end", { shard });
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), ["m-3 1", "m-4 1"]);
      },
    },
  ],
};
