/** Cases 10 and 11: what a message can hold arrives exactly, or is refused. */
import assert from "node:assert/strict";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import { failsWith } from "./expecting.ts";
import { take, takeUpTo, texts } from "./reading.ts";

const EVERY_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const NOT_UTF8: Uint8Array = Uint8Array.of(0xff, 0x00, 0xc3, 0x28, 0x0d, 0x0a);
const HALF_A_MEBIBYTE = 512 * 1024;
/** Where the backend names no limit, this is core's. */
const DEFAULT_MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

function bytesOf(value: string | Uint8Array): Buffer {
  return typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value);
}

/** Sends each payload and reads it back. */
async function roundTrip(context: CaseContext, payloads: readonly (string | Uint8Array)[]): Promise<void> {
  const stream = context.freshStream();
  const consumer = await context.streamer.createConsumer(stream);
  const producer = await context.streamer.createProducer(stream);
  await Promise.all(payloads.map((payload) => producer.send(payload)));
  const messages = await take(consumer, payloads.length, context.limits.waitMs);
  for (const [index, payload] of payloads.entries()) {
    assert.ok(
      bytesOf(payload).equals(messages[index]?.payload ?? NOT_UTF8),
      `payload ${index} (${bytesOf(payload).length} bytes) came back changed`,
    );
  }
}

const HEADER_VALUES: Readonly<Record<string, string | Uint8Array | readonly (string | Uint8Array)[]>> = {
  plain: "value",
  repeated: ["one", "two", "", "one"],
  empty: "",
  "non-ascii": "żółć 漢字 🌊",
  binary: NOT_UTF8,
  mixed: ["text", NOT_UTF8, EVERY_BYTE],
  breaks: "a\r\nb\nc\rd",
  blanks: "  \touter blanks \t ",
  long: "x".repeat(8 * 1024),
  marker: "seaway-b64:",
  "marker-and-more": "seaway-b64:aGVsbG8=",
  "marker-in-front": ["seaway-b64:%%%", "not seaway-b64:"],
  "every!#$%&'*+-.^_`|~visible": "name",
  ["n".repeat(256)]: "a long name",
};

export const messageContents: Chapter = {
  title: "what a message holds",
  cases: [
    {
      number: "10",
      title: "carries every payload that the backend can, and refuses the others",
      async run(context) {
        if (context.capabilities.payloads === "any") {
          await roundTrip(context, ["", "x", EVERY_BYTE, NOT_UTF8, "żółć 漢字 🌊", "\n", " \t", "x".repeat(HALF_A_MEBIBYTE), "", "last"]);
          return;
        }
        await roundTrip(context, ["x", "żółć 漢字 🌊", "[not meta] after all", "trailing \t ", "x".repeat(HALF_A_MEBIBYTE), "last"]);
        const producer = await context.streamer.createProducer(context.freshStream());
        for (const refused of ["", "\n", "a\nb", " leading", NOT_UTF8]) await failsWith("unsupported", () => producer.send(refused));
      },
    },
    {
      number: "10",
      title: "takes a payload at the limit and says message-too-large just over it",
      async run(context) {
        const stream = context.freshStream();
        const limit = 64 * 1024;
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream, { maxMessageBytes: limit });
        await producer.send("x".repeat(limit));
        await failsWith("message-too-large", () => producer.send("x".repeat(limit + 1)));
        await producer.send("end");
        assert.deepEqual(texts(await takeUpTo(consumer, "end", context.limits.waitMs)), ["x".repeat(limit)]);
      },
    },
    {
      number: "10",
      title: "says message-too-large over the backend's own limit",
      async run(context) {
        const producer = await context.streamer.createProducer(context.freshStream());
        const limit = context.capabilities.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
        // A limit far above what a test should allocate is left to the driver's own tests.
        if (limit > 16 * DEFAULT_MAX_MESSAGE_BYTES) return;
        await failsWith("message-too-large", () => producer.send(new Uint8Array(limit + 1).fill(0x78)));
      },
    },
    {
      number: "10",
      title: "does not hand over a payload above the consumer's limit, and goes on after it",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream, { maxMessageBytes: 100 });
        const producer = await context.streamer.createProducer(stream);
        await producer.send("before");
        await producer.send("x".repeat(101));
        await producer.send("after");
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["before"]);
        await failsWith("message-too-large", () => consumer.next({ signal: AbortSignal.timeout(context.limits.waitMs) }));
        assert.deepEqual(texts(await take(consumer, 1, context.limits.waitMs)), ["after"]);
      },
    },
    {
      number: "11",
      title: "carries headers exactly",
      needs: ["headers"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        await producer.send("all", { headers: HEADER_VALUES });
        for (const [name, value] of Object.entries(HEADER_VALUES)) await producer.send(name, { headers: { [name]: value } });
        await producer.send("none");
        await producer.send("cases", { headers: { Name: "upper", name: "lower" } });
        const [all, ...others] = await take(consumer, Object.keys(HEADER_VALUES).length + 3, context.limits.waitMs);
        for (const [index, [name, value]] of Object.entries(HEADER_VALUES).entries()) {
          const expected = (Array.isArray(value) ? value : [value]).map(bytesOf);
          for (const message of [all, others[index]]) {
            assert.deepEqual(message?.headers.getAll(name).map(bytesOf), expected, `header ${name.slice(0, 40)}`);
          }
          assert.deepEqual(
            [...(others[index]?.headers ?? [])].map(([given]) => given),
            expected.map(() => name),
            "headers that nobody sent",
          );
        }
        const [none, cases] = others.slice(-2);
        assert.deepEqual([...(none?.headers ?? [["?", "?"]])], []);
        assert.deepEqual([cases?.headers.getAll("Name"), cases?.headers.getAll("name")], [["upper"], ["lower"]]);
        assert.equal(typeof all?.headers.get("plain"), "string");
        assert.ok(all?.headers.get("binary") instanceof Uint8Array, "bytes that are no UTF-8 come back as bytes");
      },
    },
    {
      number: "11",
      title: "refuses header names that do not travel",
      needs: ["headers"],
      async run(context) {
        const producer = await context.streamer.createProducer(context.freshStream());
        for (const name of ["", "with space", "with:colon", "żółć", "n".repeat(257), "line\nbreak", "seaway-own"]) {
          await assert.rejects(
            async () => producer.send("x", { headers: { [name]: "value" } }),
            (error: Error & { code?: string }) => error instanceof TypeError || error.code === "invalid-option",
            `the name ${JSON.stringify(name.slice(0, 40))}`,
          );
        }
      },
    },
    {
      number: "11",
      title: "carries keys, text and bytes, exactly",
      needs: ["keys"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const keys = ["plain", "with blanks ", "żółć 漢字 🌊", "a\r\nb", "seaway-b64:x", "k".repeat(1_000), EVERY_BYTE, NOT_UTF8];
        for (const key of keys) await producer.send("keyed", { key });
        await producer.send("keyless");
        const messages = await take(consumer, keys.length + 1, context.limits.waitMs);
        for (const [index, key] of keys.entries()) {
          const message = messages[index];
          assert.ok(bytesOf(key).equals(message?.keyBytes ?? Buffer.alloc(0)), `key ${index} came back changed`);
          assert.equal(message?.key, typeof key === "string" ? key : undefined);
        }
        assert.deepEqual([messages.at(-1)?.key, messages.at(-1)?.keyBytes], [undefined, undefined]);
      },
    },
    {
      number: "11",
      title: "carries message ids exactly, and keeps those beginning with seaway- for itself",
      needs: ["message-ids"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const ids = ["id-1", "with blanks", "żółć 漢字 🌊", "i".repeat(200)];
        for (const messageId of ids) await producer.send("x", { messageId });
        await producer.send("without");
        await failsWith("invalid-option", () => producer.send("x", { messageId: "seaway-1" }));
        const messages = await take(consumer, ids.length + 1, context.limits.waitMs);
        assert.deepEqual(
          messages.map((message) => message.messageId),
          [...ids, undefined],
        );
      },
    },
    {
      number: "11",
      title: "carries key, headers, message id and time together",
      needs: ["keys", "headers", "message-ids"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        await producer.send("x", { key: "k", headers: { a: ["1", "2"], b: "" }, messageId: "id", timestampMs: 1_600_000_000_000 });
        const [message] = await take(consumer, 1, context.limits.waitMs);
        assert.deepEqual([message?.key, message?.messageId, message?.timestampMs, message?.text()], ["k", "id", 1_600_000_000_000, "x"]);
        assert.deepEqual([message?.headers.getAll("a"), message?.headers.getAll("b")], [["1", "2"], [""]]);
      },
    },
    {
      number: "11",
      title: "keeps what was sent although the program uses its buffers again",
      needs: ["keys", "headers"],
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream);
        const [payload, key, header] = [Buffer.from("payload"), Buffer.from("key"), Buffer.from(NOT_UTF8)];
        await producer.send(payload, { key, headers: { header } });
        for (const buffer of [payload, key, header]) buffer.fill(0x78);
        const [message] = await take(consumer, 1, context.limits.waitMs);
        assert.deepEqual([message?.text(), message?.key], ["payload", "key"]);
        assert.ok(bytesOf(message?.headers.get("header") ?? "").equals(NOT_UTF8), "the header changed with the program's buffer");
      },
    },
  ],
};
