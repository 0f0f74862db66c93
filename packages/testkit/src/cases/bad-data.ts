/** Cases 84 and 85: entries that are no messages. */
import assert from "node:assert/strict";
import { type Consumer, isStreamError } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { randomBytes, seededRandom } from "../fault/random.ts";
import { numbered, takeUpTo, texts } from "./reading.ts";

/** Reads up to a payload; what was refused on the way is counted, not thrown. */
async function readPastRefusals(
  consumer: Consumer,
  last: string,
  limitMs: number,
): Promise<{ readonly good: string[]; readonly refused: number }> {
  const good: string[] = [];
  let refused = 0;
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    try {
      const message = await consumer.next({ signal });
      good.push(Buffer.from(message.payload).toString("latin1"));
      if (good.at(-1) === last) return { good, refused };
    } catch (error) {
      if (!isStreamError(error, "corrupt-data") && !isStreamError(error, "decode-failed") && !isStreamError(error, "message-too-large"))
        throw error;
      refused += 1;
    }
  }
}

async function plant(context: CaseContext, streamKey: string, bytes: Uint8Array): Promise<void> {
  await context.harness.malform?.(streamKey, bytes);
}

function eventCount(context: CaseContext): number {
  return context.events.filter((event) => event.level === "warn" || event.level === "error").length;
}

export const badData: Chapter = {
  title: "bad data",
  cases: [
    {
      number: "84",
      title: "a foreign entry between good ones does not keep them back, and is reported",
      offers: ["malform"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const eventsBefore = eventCount(context);
        await producer.send("before");
        await plant(context, stream, Buffer.from("this is no entry of ours"));
        await producer.send("between");
        await plant(context, stream, Uint8Array.of(0, 255, 1, 254));
        await producer.send("after");
        const { good, refused } = await readPastRefusals(consumer, "after", context.limits.waitMs);
        const ours = ["before", "between", "after"];
        assert.deepEqual(
          good.filter((text) => ours.includes(text)),
          ours,
        );
        // A refused read, an event, or (where any line is a message) the raw bytes: never silence.
        const reported = refused + eventCount(context) - eventsBefore + good.filter((text) => !ours.includes(text)).length;
        assert.ok(reported >= 1, "nothing tells of the foreign entries");
      },
    },
    {
      number: "84",
      title: "onDecodeError raw hands a foreign entry over, term drops it with an event",
      offers: ["malform"],
      async run(context) {
        const stream = context.freshStream();
        const raw = await context.streamer.createConsumer(stream, { onDecodeError: "raw" });
        const term = await context.streamer.createConsumer(stream, { onDecodeError: "term" });
        const producer = await context.streamer.createProducer(stream);
        await producer.send("before");
        await plant(context, stream, Buffer.from("this is no entry of ours"));
        await producer.send("end");
        const byRaw = texts(await takeUpTo(raw, "end", context.limits.waitMs));
        const byTerm = texts(await takeUpTo(term, "end", context.limits.waitMs));
        assert.equal(byRaw[0], "before");
        assert.equal(byTerm[0], "before");
        assert.ok(byRaw.length > 1 || eventCount(context) > 0, "nothing tells of the foreign entry");
        if (byTerm.length === 1) assert.ok(eventCount(context) > 0, "dropped in silence");
      },
    },
    {
      number: "85",
      title: "random bytes among good entries come to an error or a value, and the good ones arrive",
      offers: ["malform"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const random = seededRandom(85);
        const sent = numbered("good", 50);
        for (const text of sent) {
          await plant(context, stream, randomBytes(random, Math.floor(random() * 200)));
          await producer.send(text);
        }
        await producer.send("end");
        const { good } = await readPastRefusals(consumer, "end", context.limits.waitMs);
        assert.deepEqual(
          good.filter((text) => sent.includes(text)),
          sent,
        );
        await context.streamer.ping();
      },
    },
  ],
};
