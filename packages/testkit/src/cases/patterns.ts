/** Case 19b: streams by pattern. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { numbered, take, takeUntil, takeUpTo, texts } from "./reading.ts";

export const patterns: Chapter = {
  title: "streams by pattern",
  cases: [
    {
      number: "19b",
      title: "a pattern sees the streams that match, also ones made later from their beginning, and nothing else",
      needs: ["real-time", "patterns"],
      async run(context) {
        const base = context.freshStream();
        const producer = await context.streamer.createProducer();
        await producer.sendTo(`${base}.one`, "before");
        const part = await context.streamer.createConsumer({ pattern: `${base}.*` });
        const rest = await context.streamer.createConsumer({ pattern: `${base}.**` });
        const inside = await context.streamer.createConsumer({ pattern: `${base}.*.deep` });
        const others = [base, `${base}-x.one`, context.freshStream()];
        for (const other of others) await producer.sendTo(other, "other");
        const later = await (await context.connect()).createProducer(`${base}.two`);
        for (const text of numbered("two", 3)) await later.send(text);
        await producer.sendTo(`${base}.one`, "after");
        await producer.sendTo(`${base}.two.deep`, "deep");
        const byRest = await take(rest, 5, context.limits.waitMs);
        assert.deepEqual(texts(byRest).sort(), ["after", "deep", ...numbered("two", 3)].sort());
        const byPart = await take(part, 4, context.limits.waitMs);
        assert.deepEqual(texts(byPart.filter((message) => message.streamKey === `${base}.two`)), numbered("two", 3));
        assert.deepEqual(texts(byPart.filter((message) => message.streamKey === `${base}.one`)), ["after"]);
        assert.deepEqual(texts(await take(inside, 1, context.limits.waitMs)), ["deep"]);
        await producer.sendTo(`${base}.one`, "end");
        assert.deepEqual(texts(await takeUpTo(part, "end", context.limits.waitMs)), []);
        assert.deepEqual(texts(await takeUpTo(rest, "end", context.limits.waitMs)), []);
      },
    },
    {
      number: "19b",
      title: "the pattern ** sees every stream, also ones made later",
      needs: ["real-time", "all-streams-pattern"],
      async run(context) {
        const [early, late] = [context.freshStream(), context.freshStream()];
        const producer = await context.streamer.createProducer();
        await producer.sendTo(early, "before");
        const consumer = await context.streamer.createConsumer({ pattern: "**" });
        await producer.sendTo(early, "after");
        await producer.sendTo(late, "late");
        const seen = new Set<string>();
        await takeUntil(
          consumer,
          (message) => {
            assert.ok(!message.streamKey.startsWith("SEA_STREAMER"), `the backend's own stream ${message.streamKey}`);
            // Other cases may write to the same backend.
            if (message.streamKey === early || message.streamKey === late) seen.add(message.text());
            return seen.has("after") && seen.has("late");
          },
          "both streams",
          context.limits.waitMs,
        );
        assert.deepEqual([...seen].sort(), ["after", "late"]);
      },
    },
  ],
};
