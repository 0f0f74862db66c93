/** Case 14: a message id that was seen before. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { take, takeUpTo, texts } from "./reading.ts";

export const deduplication: Chapter = {
  title: "de-duplication",
  cases: [
    {
      number: "14",
      title: "stores a repeated messageId once and says so in the second receipt",
      needs: ["message-ids", "dedupe"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const first = await producer.send("first", { messageId: "same" });
        const second = await producer.send("second", { messageId: "same" });
        const other = await producer.send("other", { messageId: "other" });
        assert.deepEqual([first.duplicate, second.duplicate, other.duplicate], [false, true, false]);
        assert.equal(second.sequence, first.sequence);
        const again = await (await context.connect()).createProducer(stream);
        assert.equal((await again.send("third", { messageId: "same" })).duplicate, true, "seen from another connection");
        await producer.send("end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), ["first", "other"]);
      },
    },
    {
      number: "14",
      title: "stores a repeated messageId again with dedupe: false, and it still travels",
      needs: ["message-ids", "dedupe"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream, { dedupe: false });
        const receipts = [await producer.send("1", { messageId: "same" }), await producer.send("2", { messageId: "same" })];
        assert.deepEqual(
          receipts.map((receipt) => receipt.duplicate),
          [false, false],
        );
        const messages = await take(consumer, 2, context.limits.waitMs);
        assert.deepEqual(
          messages.map((message) => `${message.text()} ${message.messageId}`),
          ["1 same", "2 same"],
        );
      },
    },
  ],
};
