/** Cases 1 and 2, as far as they need a driver; what is core's alone is tested there. */
import assert from "node:assert/strict";
import type { Chapter } from "../conformance/conformance-case.ts";
import { within } from "../wait/within.ts";
import { failsWith } from "./expecting.ts";
import { take, texts } from "./reading.ts";

export const connecting: Chapter = {
  title: "URL and connect",
  cases: [
    {
      number: "1",
      title: "takes stream keys from the URL where code gives none",
      async run(context) {
        const keys = [context.freshStream(), context.freshStream()];
        const streamer = await context.connectTo(context.urlWithKeys(...keys));
        assert.deepEqual([...streamer.streamKeys], keys);
        const consumer = await streamer.createConsumer();
        const producer = await streamer.createProducer();
        for (const key of keys) await producer.sendTo(key, `to-${key}`);
        assert.deepEqual(texts(await take(consumer, 2, context.limits.waitMs)).sort(), keys.map((key) => `to-${key}`).sort());
      },
    },
    {
      number: "1",
      title: "refuses a key in the URL that is none",
      async run(context) {
        await failsWith(["invalid-stream-key", "invalid-url"], () => context.connectTo(context.urlWithKeys("a..b")));
      },
    },
    {
      number: "1",
      title: "refuses a key in code that is none, and a consumer without keys",
      async run(context) {
        await failsWith("invalid-stream-key", () => context.streamer.createProducer("a..b"));
        await failsWith("invalid-stream-key", () => context.streamer.createConsumer(["fine", "."]));
        await failsWith("stream-key-empty", () => context.streamer.createConsumer([]));
        await failsWith("stream-key-empty", () => context.streamer.createConsumer());
      },
    },
    {
      number: "1",
      title: "takes consumer options from the URL, and code wins",
      needs: ["seek"],
      async run(context) {
        const stream = context.freshStream();
        const url = context.urlWithKeys(stream);
        const streamer = await context.connectTo(`${url}${url.includes("?") ? "&" : "?"}autoStreamReset=earliest`);
        const producer = await streamer.createProducer(stream);
        await producer.send("before");
        const byUrl = await streamer.createConsumer();
        const byCode = await streamer.createConsumer(undefined, { autoStreamReset: "latest" });
        await producer.send("after");
        assert.deepEqual(texts(await take(byUrl, 2, context.limits.waitMs)), ["before", "after"]);
        assert.deepEqual(texts(await take(byCode, 1, context.limits.waitMs)), ["after"]);
      },
    },
    {
      number: "2",
      title: "names an unknown option and those that are known, in code and in the URL, without its value",
      async run(context) {
        const { driver } = context.harness;
        const inCode = await failsWith("invalid-option", () =>
          context.connect({ ...context.harness.connect, [driver.name]: { noSuchOption: "secret-value" } }),
        );
        assert.match(inCode.message, /noSuchOption/);
        assert.doesNotMatch(inCode.message, /secret-value/);
        const parameter = `${context.url.includes("?") ? "&" : "?"}noSuchOption=secret-value`;
        const inUrl = await failsWith(["invalid-option", "invalid-url"], () => context.connectTo(`${context.url}${parameter}`));
        assert.match(inUrl.message, /noSuchOption/);
        assert.doesNotMatch(inUrl.message, /secret-value/);
      },
    },
    {
      number: "2",
      title: "gives up connecting when its signal aborts",
      async run(context) {
        await failsWith("aborted", () => context.connect({ signal: AbortSignal.abort() }));
      },
    },
    {
      number: "2",
      title: "says connect-failed within timeoutMs where nobody answers",
      offers: ["unreachableUrl"],
      async run(context) {
        const url = context.harness.unreachableUrl ?? "";
        await within(
          failsWith("connect-failed", () => context.connectTo(url, { timeoutMs: 2_000 })),
          context.limits.waitMs,
          "connect-failed",
        );
      },
    },
    {
      number: "2",
      title: "says auth-failed for a wrong password, and never tells it",
      offers: ["wrongPasswordUrl"],
      async run(context) {
        const url = context.harness.wrongPasswordUrl ?? "";
        const error = await failsWith("auth-failed", () => context.connectTo(url));
        const password = decodeURIComponent(/:\/\/[^:@/]*:([^@/]*)@/.exec(url)?.[1] ?? "");
        assert.ok(password.length > 0, "wrongPasswordUrl holds a password");
        assert.ok(!`${error.message} ${error.stack} ${String(error.cause)}`.includes(password), "the error holds the password");
      },
    },
  ],
};
