/** Case 24c: a resumable group has one reader. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { openDyingMember } from "./dying.ts";
import { failsWith, watch } from "./expecting.ts";
import { leases, reader } from "./grouping.ts";
import { numbered, take, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

export const oneReader: Chapter = {
  title: "one reader",
  cases: [
    {
      number: "24c",
      title: "refuses a second live reader with group-in-use, which is retryable",
      needs: ["resumable", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        const first = await reader(context, stream, options);
        const other = await context.connect();
        const second = failsWith("group-in-use", () => reader(context, stream, { ...options, streamer: other, timeoutMs: 300 }));
        const error = await within(second, context.limits.waitMs, "the second reader's refusal");
        assert.equal(error.retryable, true);
        // The first one does not suffer for it, nor does another group.
        await sendTo(context, stream, ["m"]);
        assert.deepEqual(texts(await take(first, 1, context.limits.waitMs)), ["m"]);
        const apart = await reader(context, stream, { ...options, group: "another" });
        assert.deepEqual(texts(await take(apart, 1, context.limits.waitMs)), ["m"]);
      },
    },
    {
      number: "24c",
      title: "lets a second reader wait for the first to close",
      needs: ["resumable", "groups", "settling"],
      async run(context) {
        const stream = context.freshStream();
        await sendTo(context, stream, numbered("m", 3));
        const first = await reader(context, stream);
        const [message] = await take(first, 1, context.limits.waitMs);
        const waiting = reader(context, stream, { streamer: await context.connect() });
        const waited = watch(waiting);
        message?.ack();
        await take(first, 1, context.limits.waitMs);
        assert.equal(waited.settled, false, "it got in beside a living reader");
        await first.close();
        const second = await within(waiting, context.limits.waitMs, "the second reader after the first one's close");
        assert.deepEqual(texts(await take(second, 2, context.limits.waitMs)), numbered("m", 2, 1));
      },
    },
    {
      number: "24c",
      title: "lets a second reader in when the first has died",
      needs: ["resumable", "groups", "settling"],
      offers: ["shortLeases"],
      async run(context) {
        const stream = context.freshStream();
        const { options } = leases(context);
        await sendTo(context, stream, numbered("m", 3));
        const first = await openDyingMember(context, { mode: "resumable", streamKey: stream, take: 2, commit: 1, options });
        await first.die();
        const second = await within(
          reader(context, stream, options),
          context.limits.waitMs,
          "the second reader after the first one's death",
        );
        assert.deepEqual(texts(await take(second, 2, context.limits.waitMs)), numbered("m", 2, 1));
      },
    },
  ],
};
