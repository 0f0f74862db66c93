import { once } from "node:events";
import { appendFileSync, ftruncateSync, openSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "@seaway/core";
import { file } from "@seaway/file";
import { eventually } from "@seaway/testkit";
import { expect, test } from "vitest";
import { decodeFileHeader } from "../src/format/file-header.ts";
import { decodeFile, encodeFile, fixture, messages, onlyMessages, type SampleMessage } from "./fixtures/sample-files.ts";
import { numbered, readAll, TempFile, take } from "./fixtures/temp-file.ts";
import { outputOf, startWriter } from "./fixtures/writing-process.ts";

const one = (text: string, sequence: number, key = "s"): SampleMessage => ({
  key,
  shard: 0,
  sequence,
  timestamp: 1_700_000_000_000 + sequence,
  payload: Buffer.from(text),
});

test("SeaStreamer's own file is read, whatever shard and first sequence it has, up to its end-of-stream and beyond", async () => {
  await using temp = new TempFile(fixture("consumer.ss"));
  const streamer = await temp.connect({}, `file://${temp.path}/hello`);
  const consumer = await streamer.createConsumer(undefined, { autoStreamReset: "earliest" });
  expect(consumer.start).toEqual([{ streamKey: "hello", shardId: 1, origin: "earliest" }]);
  expect(await take(consumer, 100)).toEqual(numbered("hello", 100));
  await (await streamer.createProducer()).send("more", { shard: 1 });
  expect(await take(consumer, 1)).toEqual(["more"]);
  expect(await readAll(streamer)).toEqual([...numbered("hello", 100), "more"]);
});

test("all streams are read by the pattern and by SeaStreamer's key for it", async () => {
  await using temp = new TempFile(fixture("sample-1.ss"));
  const expected = onlyMessages(decodeFile(fixture("sample-1.ss"))).map(({ payload }) => Buffer.from(payload).toString("latin1"));
  const streamer = await temp.connect();
  expect(await readAll(streamer)).toEqual(expected);
  expect(await readAll(streamer, "SEA_STREAMER_WILDCARD")).toEqual(expected);
  expect((await readAll(streamer, "event")).length).toBe(22);
});

test("another process's messages are followed, also into a file that it makes", async () => {
  await using temp = new TempFile();
  const consumer = await (await temp.connect()).createConsumer("s");
  const child = startWriter(temp.path, `for (let i = 0; i < 2000; i++) { await producer.send("m-" + i); } await streamer.close();`);
  const done = outputOf(child);
  expect(await take(consumer, 2000)).toEqual(numbered("m", 2000));
  await done;
});

test("a writer killed at any moment loses nothing that it had a receipt for, and a reader meets no message twice", async () => {
  await using temp = new TempFile();
  const consumer = await (await temp.connect({ pollIntervalMs: 20 })).createConsumer("s");
  const seen: string[] = [];
  const reading = (async () => {
    for await (const message of consumer) seen.push(message.text());
  })();
  const stored: string[] = [];
  for (let round = 0; round < 3; round++) {
    const body = `for (let i = 0; ; i++) { await producer.send("${round}-" + i + "-" + "x".repeat(5000)); process.stdout.write("${round}-" + i + "\\n"); }`;
    const child = startWriter(temp.path, body);
    let out = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    await eventually("it writes", () => out.length > 2000);
    child.kill("SIGKILL");
    await once(child, "close");
    stored.push(...out.split("\n").slice(0, -1));
    // What a kill in the middle of a write leaves behind.
    if (round < 2) appendFileSync(temp.path, encodeFile(1024, [one("torn".repeat(100), 1)]).subarray(128, 200 + round * 100));
  }
  await eventually("all is read", () => stored.every((name) => seen.some((text) => text.startsWith(`${name}-`))));
  await consumer.close();
  await reading;
  expect(new Set(seen).size).toBe(seen.length);
  expect(await readAll(await temp.connect())).toEqual(seen);
});

test("a torn message that a restarted writer cuts off and writes over is read once, as it is now", async () => {
  const before = encodeFile(1024, [one("first", 1)]);
  const torn = encodeFile(1024, [one("first", 1), one("old".repeat(50), 2)]).subarray(0, before.length + 60);
  await using temp = new TempFile(torn);
  const streamer = await temp.connect({ pollIntervalMs: 10 });
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  expect(await take(consumer, 1)).toEqual(["first"]);
  const waiting = take(consumer, 2);
  const rewritten = encodeFile(1024, [one("first", 1), one("new", 2), one("newer", 3)]);
  truncateSync(temp.path, before.length);
  appendFileSync(temp.path, rewritten.subarray(before.length));
  expect(await waiting).toEqual(["new", "newer"]);
  expect(temp.eventCodes()).toEqual([]);
});

test("a message that is written byte by byte comes when it is whole", async () => {
  const whole = encodeFile(1024, [one("first", 1), one("second".repeat(3), 2)]);
  await using temp = new TempFile(whole.subarray(0, 128));
  const consumer = await (await temp.connect({ pollIntervalMs: 2 })).createConsumer("s", { autoStreamReset: "earliest" });
  const waiting = take(consumer, 2);
  for (const byte of whole.subarray(128)) {
    appendFileSync(temp.path, Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await waiting).toEqual(["first", "second".repeat(3)]);
});

test("latest: nothing whose receipt was there before, everything that is sent after, also from another process's file", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  const producer = await streamer.createProducer("s");
  for (let round = 0; round < 50; round++) {
    await producer.send(`before-${round}`);
    const between = producer.sendMany(numbered(`between-${round}`, 20).map((value) => ({ value })));
    const consumer = await streamer.createConsumer("s");
    const after = producer.send(`after-${round}`);
    const texts: string[] = [];
    while (texts.at(-1) !== `after-${round}`) texts.push(...(await take(consumer, 1)));
    const expected = [...numbered(`between-${round}`, 20), `after-${round}`];
    expect(texts).toEqual(expected.slice(expected.length - texts.length));
    await Promise.all([between, after]);
    await consumer.close();
  }
  await streamer.close();
  // Now no writer of this process knows where the file ends.
  const reading = await temp.connect({ pollIntervalMs: 5 });
  const consumer = await reading.createConsumer("s");
  const file = temp.bytes;
  const [last] = onlyMessages(decodeFile(file)).slice(-1);
  const { beaconInterval } = decodeFileHeader(file);
  const added = encodeFile(beaconInterval, [one("appended", Number(last?.sequence) + 1)]).subarray(128);
  appendFileSync(temp.path, added);
  expect(await take(consumer, 1)).toEqual(["appended"]);
});

test("an end-of-stream in the middle is passed, with an event; at the end of the file it is waited behind", async () => {
  const upTo = (count: number) => encodeFile(1024, [one("1", 1), "eos", one("2", 2), "eos", one("3", 3)].slice(0, count) as never);
  await using temp = new TempFile(upTo(4));
  const streamer = await temp.connect({ pollIntervalMs: 5 });
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  expect(await take(consumer, 2)).toEqual(["1", "2"]);
  expect(await readAll(streamer)).toEqual(["1", "2"]);
  const waiting = take(consumer, 1);
  // As SeaStreamer does with a small file: behind the end-of-stream.
  appendFileSync(temp.path, upTo(5).subarray(upTo(4).length));
  expect(await waiting).toEqual(["3"]);
  expect(temp.eventCodes().filter((code) => code === "end-of-stream-passed").length).toBe(3);
});

test("an end-of-stream that is taken away and written over is no end for a follower", async () => {
  const whole = encodeFile(1024, [one("1", 1), "eos"]);
  await using temp = new TempFile(whole);
  const consumer = await (await temp.connect({ pollIntervalMs: 5 })).createConsumer("s");
  const waiting = take(consumer, 1);
  await outputOf(startWriter(temp.path, `await producer.send("from another process"); await streamer.close();`));
  expect(await waiting).toEqual(["from another process"]);
  expect(temp.eventCodes()).toEqual([]);
});

test.each(["removed", "renamed", "replaced"])(
  "a file that is %s is an event and an error, and what comes in its place can be read on",
  async (how) => {
    await using temp = new TempFile(encodeFile(1024, [one("old", 1)]));
    const consumer = await (await temp.connect({ pollIntervalMs: 5 })).createConsumer("s", { autoStreamReset: "earliest" });
    expect(await take(consumer, 1)).toEqual(["old"]);
    const next = consumer.next();
    const failing = expect(next).rejects.toMatchObject({ code: how === "replaced" ? "corrupt-data" : "stream-not-found" });
    const successor = encodeFile(1024, [one("of another file, and longer than the first was", 1)]);
    if (how === "removed") rmSync(temp.path);
    if (how === "renamed") renameSync(temp.path, `${temp.path}.1`);
    if (how === "replaced") {
      writeFileSync(`${temp.path}.new`, successor);
      renameSync(`${temp.path}.new`, temp.path);
    }
    await failing;
    expect(temp.events).toMatchObject([{ code: "file-gone", level: "error" }]);
    const waiting = take(consumer, 1);
    if (how !== "replaced") writeFileSync(temp.path, successor);
    expect(await waiting).toEqual(["of another file, and longer than the first was"]);
  },
);

test("a file written anew in place is noticed by its time of creation", async () => {
  await using temp = new TempFile(encodeFile(1024, [one("old", 1), one("older", 2)]));
  const consumer = await (await temp.connect({ pollIntervalMs: 5 })).createConsumer("s", { autoStreamReset: "earliest" });
  await take(consumer, 2);
  const failing = expect(consumer.next()).rejects.toMatchObject({ code: "corrupt-data" });
  const anew = encodeFile(1024, [one("new", 1)]);
  anew.set([1, 2, 3], 4 + "sample.ss".length + 5);
  writeFileSync(temp.path, anew);
  await failing;
  expect(await take(consumer, 1)).toEqual(["new"]);
});

test("a file that became shorter is read on behind its last whole message, with an event", async () => {
  const whole = encodeFile(1024, [one("1", 1), one("2", 2), one("3", 3)]);
  const [first] = onlyMessages(decodeFile(whole));
  await using temp = new TempFile(whole);
  const consumer = await (await temp.connect({ pollIntervalMs: 5 })).createConsumer("s", { autoStreamReset: "earliest" });
  expect(await take(consumer, 3)).toEqual(["1", "2", "3"]);
  const waiting = take(consumer, 1);
  ftruncateSync(openSync(temp.path, "r+"), (first?.endOffset ?? 0) + 10);
  await eventually("it is noticed", () => temp.eventCodes().includes("file-shortened"));
  await outputOf(startWriter(temp.path, `await producer.send("2 again"); await streamer.close();`));
  expect(await waiting).toEqual(["2 again"]);
});

test("damage to one payload is one malformed message among the good ones", async () => {
  const whole = Uint8Array.from(
    encodeFile(
      1024,
      numbered("m", 9).map((text, index) => one(text, index + 1, index === 4 ? "other" : "s")),
    ),
  );
  const all = onlyMessages(decodeFile(whole));
  for (const index of [2, 4]) whole[(all[index]?.endOffset ?? 0) - 4] = 0x21;
  await using temp = new TempFile(whole);
  const streamer = await temp.connect();
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest", until: "end" });
  expect(await take(consumer, 2)).toEqual(["m-0", "m-1"]);
  await expect(consumer.next()).rejects.toMatchObject({ code: "corrupt-data", message: expect.stringContaining("sequence 3") });
  expect(await take(consumer, 5)).toEqual(["m-3", "m-5", "m-6", "m-7", "m-8"]);
  await expect(consumer.next()).rejects.toMatchObject({ code: "stream-ended" });
  expect(await readAll(streamer, "s")).toEqual(["m-0", "m-1", "m-!", "m-3", "m-5", "m-6", "m-7", "m-8"]);
});

test("bytes that cannot be made out are passed over to the next beacon: an event, one malformed entry, and the rest is read", async () => {
  const sent = numbered("m", 100);
  const whole = Uint8Array.from(
    encodeFile(
      1024,
      sent.map((text, index) => one(text, index + 1)),
    ),
  );
  const all = onlyMessages(decodeFile(whole));
  const broken = all.find(({ startOffset }) => startOffset > 1500);
  whole[broken?.startOffset ?? 0] = 0;
  await using temp = new TempFile(whole);
  const consumer = await (await temp.connect()).createConsumer("s", { autoStreamReset: "earliest" });
  const texts: string[] = [];
  let refused = 0;
  while (texts.at(-1) !== "m-99") {
    await consumer.next().then(
      (message) => texts.push(message.text()),
      (error: { code: string }) => {
        expect(error.code).toBe("corrupt-data");
        refused += 1;
      },
    );
  }
  expect(refused).toBe(1);
  expect(texts).toEqual(sent.filter((text) => texts.includes(text)));
  // From the damaged byte to the end of the message that the beacon splits.
  const resumed = all.find(
    ({ sequence }) => Number(sequence) === Number(texts[texts.indexOf(`m-${Number(broken?.sequence) - 2}`) + 1]?.slice(2)) + 1,
  );
  const lost = (resumed?.startOffset ?? 0) - (broken?.startOffset ?? 0);
  expect(lost).toBeGreaterThan(200);
  expect(temp.events).toMatchObject([{ code: "bytes-skipped", level: "warn", count: lost }]);
});

test("a bounded read tells of what is behind the last whole message and cannot be made out", async () => {
  await using temp = new TempFile(Buffer.concat([encodeFile(1024, [one("good", 1)]), Buffer.alloc(300, 0)]));
  const consumer = await (await temp.connect()).createConsumer("s", { autoStreamReset: "earliest", until: "end" });
  expect(await take(consumer, 1)).toEqual(["good"]);
  await expect(consumer.next()).rejects.toMatchObject({ code: "corrupt-data", message: expect.stringContaining("300 bytes") });
  await expect(consumer.next()).rejects.toMatchObject({ code: "stream-ended" });
});

test("a follower says that the tail cannot be made out, once, and goes on when it was repaired", async () => {
  await using temp = new TempFile(Buffer.concat([encodeFile(1024, [one("good", 1)]), Buffer.alloc(300, 0)]));
  const streamer = await temp.connect({ pollIntervalMs: 5 });
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  expect(await take(consumer, 1)).toEqual(["good"]);
  const waiting = take(consumer, 1);
  await eventually("it is told", () => temp.eventCodes().includes("tail-unreadable"));
  await (await streamer.createProducer("s")).send("after the repair");
  expect(await waiting).toEqual(["after the repair"]);
  expect(temp.eventCodes().filter((code) => code === "tail-unreadable").length).toBe(1);
});

test("a payload's slice is a copy, and the payload stays the same object", async () => {
  await using temp = new TempFile(
    encodeFile(
      1024,
      messages(30, () => 100),
    ),
  );
  const consumer = await (await temp.connect()).createConsumer({ pattern: "**" }, { autoStreamReset: "earliest", until: "end" });
  for await (const { payload } of consumer) expect(payload.slice().buffer).not.toBe(payload.buffer);
  const again = await (await temp.connect()).createConsumer("stream-0", { autoStreamReset: "earliest" });
  const message = await again.next();
  expect(message.payload).toBe(message.payload);
});

test("a thousand connections and consumers leave no handle behind", async () => {
  await using temp = new TempFile();
  const open = async (): Promise<void> => {
    const streamer = await connect(`file://${temp.path}/s`, { drivers: [file()] });
    const producer = await streamer.createProducer();
    const consumer = await streamer.createConsumer();
    await producer.send("x");
    await consumer.next();
    const pending = consumer.next().catch(() => undefined);
    await streamer.close();
    await pending;
  };
  const handles = () => (process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0);
  await open();
  const before = handles();
  const resources = process.getActiveResourcesInfo().length;
  for (let round = 0; round < 1000; round++) await open();
  expect(handles()).toBeLessThanOrEqual(before);
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(resources);
});
