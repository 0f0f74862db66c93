import { StreamerUri, systemClock } from "@seaway/core";
import type { ConsumerRequest, DriverConnection, Received, ReceiveLimit, Shard } from "@seaway/core/driver";
import { file } from "@seaway/file";
import { expect, test } from "vitest";
import { decodeFile, encodeFile, messages } from "./fixtures/sample-files.ts";
import { numbered, readAll, TempFile, take } from "./fixtures/temp-file.ts";

test("every sequence and time is found over many beacons, with the headers of the first message, wherever its frame lies", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect({ beaconInterval: 1024 });
  const producer = await streamer.createProducer("s");
  const count = 400;
  for (let index = 0; index < count; index++) {
    producer.enqueue("x".repeat(index % 97), { key: `key-${index}`, headers: { index: `${index}` }, timestampMs: 1000 + 2 * index });
    if (index % 5 === 0) producer.enqueue("plain", { timestampMs: 1000 + 2 * index });
  }
  await producer.flush();
  const beacons = decodeFile(temp.bytes, { beacons: true }).filter(({ kind }) => kind === "beacon").length;
  expect(beacons).toBeGreaterThan(60);
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  const all = await consumer.fetch({ maxMessages: 1000, expiresMs: 0 });
  expect(all.length).toBe(count + count / 5);
  for (let at = 0; at < all.length; at += 7) {
    const wanted = all[at];
    await consumer.rewind({ at: wanted?.sequence ?? 0n });
    const found = await consumer.next();
    expect([found.sequence, found.key, found.headers.get("index")]).toEqual([wanted?.sequence, wanted?.key, wanted?.headers.get("index")]);
    await consumer.seek((wanted?.timestampMs ?? 0) - 1);
    const later = all.find(({ timestampMs }) => timestampMs > (wanted?.timestampMs ?? 0) - 1);
    const next = await consumer.next();
    expect([next.sequence, next.key]).toEqual([later?.sequence, later?.key]);
  }
});

test("shards that are sent to different places are each read from their own, and the others not at all", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect({ beaconInterval: 1024 });
  const producer = await streamer.createProducer("s", { shards: 3 });
  await producer.sendMany(numbered("m", 600).map((value, index) => ({ value, shard: index % 3 })));
  const consumer = await streamer.createConsumer("s");
  await consumer.rewind({ at: { s: { 0: 199n, 2: 10n } } });
  const read = await consumer.fetch({ maxMessages: 1000, expiresMs: 0 });
  const of = (shard: number) => read.filter(({ shardId }) => shardId === shard).map(({ sequence }) => Number(sequence));
  expect(of(0)).toEqual([199, 200]);
  expect(of(1)).toEqual([]);
  expect(of(2)).toEqual(Array.from({ length: 191 }, (_, index) => index + 10));
  await producer.send("m", { shard: 1 });
  expect(await consumer.fetch({ maxMessages: 10, expiresMs: 0 })).toEqual([]);
});

test("what lies beyond the end is waited for", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  const producer = await streamer.createProducer("s");
  await producer.send("1", { timestampMs: 1000 });
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  await consumer.rewind({ at: 4n });
  const waiting = take(consumer, 2);
  for (const text of ["2", "3", "4", "5"]) await producer.send(text, { timestampMs: 2000 });
  expect(await waiting).toEqual(["4", "5"]);
  await consumer.seek(2000);
  const later = take(consumer, 2);
  await producer.send("6", { timestampMs: 2000 });
  await producer.send("7", { timestampMs: 2001 });
  // Behind the first that is later everything is wanted.
  await producer.send("8", { timestampMs: 1500 });
  expect(await later).toEqual(["7", "8"]);
});

test("a consumer may seek before there is a file", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  const consumer = await streamer.createConsumer("s");
  expect(consumer.start).toEqual([{ streamKey: "s", shardId: 0, origin: "latest" }]);
  expect(await consumer.lag()).toEqual([{ streamKey: "s", shardId: 0, messages: 0 }]);
  await consumer.rewind({ at: 3n });
  const producer = await streamer.createProducer("s");
  for (const text of numbered("m", 4)) await producer.send(text);
  expect(await take(consumer, 2)).toEqual(["m-2", "m-3"]);
  await consumer.rewind("beginning");
  expect(await take(consumer, 4)).toEqual(numbered("m", 4));
});

test("shards and streams found later are read from their beginning, and said", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  const producer = await streamer.createProducer("s", { shards: 2 });
  await producer.send("before", { shard: 0 });
  await producer.send("before", { shard: 1 });
  await streamer.close();
  const again = await temp.connect();
  const consumer = await again.createConsumer({ pattern: "**" });
  await (await again.createProducer("s", { shards: 3 })).send("third shard", { shard: 2 });
  await (await again.createProducer("t")).send("another stream");
  expect(await take(consumer, 2)).toEqual(["third shard", "another stream"]);
  expect(temp.events.filter(({ code }) => code === "shard-assigned")).toMatchObject([
    { streamKey: "s", shardId: 2 },
    { streamKey: "t", shardId: 0 },
  ]);
});

test("fetch takes as many as asked for, and the next goes on behind them", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  await (await streamer.createProducer("s")).sendMany(numbered("m", 100).map((value) => ({ value })));
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  const texts: string[] = [];
  for (const maxMessages of [1, 2, 40, 57]) {
    const messages = await consumer.fetch({ maxMessages, expiresMs: 0 });
    expect(messages.length).toBe(maxMessages);
    texts.push(...messages.map((message) => message.text()));
    expect(await consumer.lag()).toEqual([{ streamKey: "s", shardId: 0, messages: 100 - texts.length }]);
  }
  expect(texts).toEqual(numbered("m", 100));
  expect(await consumer.fetch({ maxMessages: 5, expiresMs: 0 })).toEqual([]);
});

test("the lag is unknown after a seek to a time, until a message shows where that is", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  const producer = await streamer.createProducer("s");
  await producer.sendMany(numbered("m", 10).map((value, index) => ({ value, timestampMs: 1000 + index })));
  const consumer = await streamer.createConsumer("s");
  expect((await consumer.lag())[0]?.messages).toBe(0);
  await consumer.seek(1004);
  expect((await consumer.lag())[0]?.messages).toBe(undefined);
  await consumer.fetch({ maxMessages: 2, expiresMs: 0 });
  expect((await consumer.lag())[0]?.messages).toBe(3);
});

test("admin tells streams, lengths and last messages, and refuses what a file cannot do", async () => {
  await using temp = new TempFile(encodeFile(1024, [...messages(10, () => 8, 2), "eos"]));
  const { admin } = await temp.connect();
  expect(await admin.listStreams()).toEqual(["stream-0", "stream-1"]);
  expect(await admin.streamInfo("stream-1")).toEqual({
    shards: [{ shardId: 3, length: 5, bytes: 40, first: 2n, last: 10n, firstMs: 1_700_000_000_001, lastMs: 1_700_000_000_009 }],
  });
  await expect(admin.streamInfo("missing")).rejects.toMatchObject({ code: "stream-not-found" });
  expect(await admin.createStream("made", { shards: 4 })).toEqual({ shards: 4 });
  expect(await admin.createStream("made")).toEqual({ shards: 4 });
  await expect(admin.createStream("made", { shards: 2 })).rejects.toMatchObject({ code: "invalid-option" });
  expect(await admin.listStreams()).toEqual(["made", "stream-0", "stream-1"]);
  expect((await admin.streamInfo("made")).shards.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  for (const call of [() => admin.trim("made", "end"), () => admin.deleteStream("made"), () => admin.listGroups("made")]) {
    await expect(call()).rejects.toMatchObject({ code: "unsupported", message: expect.stringMatching(/on file: ./) });
  }
  await expect(admin.createStream("kept", { retention: { maxMessages: 1 } })).rejects.toMatchObject({ code: "unsupported" });
});

const never = new AbortController().signal;
const call = { signal: never };

async function openDriver(path: string): Promise<DriverConnection> {
  const uri = new StreamerUri({ scheme: "file", root: path });
  const context = { options: {}, clientName: "test", clock: systemClock, random: Math.random, onEvent: () => {} };
  return file().open(uri, context, call);
}

const request: ConsumerRequest = {
  mode: "real-time",
  streams: ["s"],
  consumerName: "c",
  from: "earliest",
  createStream: true,
  settlement: "explicit",
  maxUnsettled: 1000,
  maxUnsettledBytes: 1e6,
  options: {},
  holds: () => false,
  onAssigned: () => {},
  onRevoking: async () => {},
  onKept: () => {},
  onLost: () => {},
};

test("messages of paused shards are kept in order while others are read, and bytes bound a batch", async () => {
  await using temp = new TempFile();
  const connection = await openDriver(temp.path);
  await connection.ensureStream("s", { create: true, shards: 2, options: {} }, call);
  const producer = await connection.openProducer({ dedupe: false, strict: false, options: {} }, call);
  const batch = numbered("m", 20).map((text, index) => ({ streamKey: "s", shardId: index % 2, payload: Buffer.from(text) }));
  await producer.send(batch, call);
  const consumer = await connection.openConsumer(request, call);
  const receive = async (paused: readonly Shard[], limits: Partial<ReceiveLimit> = {}): Promise<string[]> => {
    const received: Received = await consumer.receive({ maxMessages: 100, maxBytes: 1e6, maxWaitMs: 0, paused, signal: never, ...limits });
    return received.messages.map(({ payload }) => Buffer.from(payload).toString());
  };
  const odd = [{ streamKey: "s", shardId: 1 }];
  expect(await receive(odd, { maxMessages: 4 })).toEqual(["m-0", "m-2", "m-4", "m-6"]);
  expect(await receive([], { maxBytes: 9 })).toEqual(["m-1", "m-3", "m-5"]);
  expect(await receive([], { maxBytes: 1 })).toEqual(["m-7"]);
  expect(await receive([...odd, { streamKey: "s", shardId: 0 }])).toEqual([]);
  expect(await receive(odd)).toEqual(["m-8", "m-10", "m-12", "m-14", "m-16", "m-18"]);
  expect(await receive([])).toEqual(["m-9", "m-11", "m-13", "m-15", "m-17", "m-19"]);
  await consumer.close(call);
  await producer.close(call);
  await connection.close(call);
});

test("a read that waits ends at once when it is aborted, and when the consumer closes", async () => {
  await using temp = new TempFile();
  const connection = await openDriver(temp.path);
  const consumer = await connection.openConsumer(request, call);
  const controller = new AbortController();
  const limit: ReceiveLimit = { maxMessages: 1, maxBytes: 1, maxWaitMs: 60_000, paused: [], signal: controller.signal };
  const waiting = consumer.receive(limit);
  controller.abort();
  expect(await waiting).toEqual({ messages: [], epoch: 0 });
  const closing = consumer.receive({ ...limit, signal: never });
  await consumer.close(call);
  expect(await closing).toEqual({ messages: [], epoch: 0 });
  await connection.close(call);
});

test("a pinned list of shards is read and no other", async () => {
  await using temp = new TempFile(
    encodeFile(
      1024,
      messages(40, () => 30, 2),
    ),
  );
  const connection = await openDriver(temp.path);
  const from = [{ streamKey: "stream-1", shardId: 3, position: { at: 20n } }] as const;
  const consumer = await connection.openConsumer({ ...request, streams: { pattern: "**" }, from }, call);
  expect(consumer.start).toEqual([{ streamKey: "stream-1", shardId: 3, origin: "sought" }]);
  const { messages: read } = await consumer.receive({ maxMessages: 100, maxBytes: 1e6, maxWaitMs: 0, paused: [], signal: never });
  expect(read.map(({ streamKey, sequence }) => `${streamKey}:${sequence}`)).toEqual(
    [20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40].map((n) => `stream-1:${n}`),
  );
  await consumer.close(call);
  await connection.close(call);
});

test("a missing stream of an existing file is refused where the consumer says so", async () => {
  await using temp = new TempFile(
    encodeFile(
      1024,
      messages(4, () => 30),
    ),
  );
  const streamer = await temp.connect();
  await expect(streamer.createConsumer("other", { createStream: false })).rejects.toMatchObject({ code: "stream-not-found" });
  expect((await readAll(streamer, "stream-0")).length).toBe(4);
});
