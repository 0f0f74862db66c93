import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStreamError } from "@seaway/core";
import { expect, test } from "vitest";
import { decodeFileHeader } from "../src/format/file-header.ts";
import { SsEncoder } from "../src/format/ss-encoder.ts";
import { decodeFile, encodeFile, fixture, hex, messages, onlyMessages } from "./fixtures/sample-files.ts";
import { numbered, readAll, TempFile } from "./fixtures/temp-file.ts";

/** What the format's document says the file has to be: its messages and the new ones written in one go. */
function appended(
  file: Uint8Array,
  added: readonly { key: string; shard: number; sequence: number; timestamp: number; text: string }[],
): string {
  const encoder = SsEncoder.startFile(decodeFileHeader(file));
  for (const { streamKey, shard, sequence, timestamp, payload } of onlyMessages(decodeFile(file))) {
    encoder.append(encoder.stream(streamKey, shard), sequence, timestamp, payload);
  }
  for (const { key, shard, sequence, timestamp, text } of added) {
    encoder.append(encoder.stream(key, shard), sequence, timestamp, Buffer.from(text));
  }
  return hex(encoder.take().bytes);
}

test("appending to SeaStreamer's file takes its end-of-stream away and goes on from its last message, byte for byte", async () => {
  await using temp = new TempFile(fixture("consumer.ss"));
  const producer = await (await temp.connect()).createProducer("hello");
  const added = [];
  for (let index = 0; index < 20; index++) {
    const text = `appended-${index}`;
    const timestamp = 1_700_000_000_000 + index;
    const { sequence, shardId } = await producer.send(text, { shard: 1, timestampMs: timestamp });
    expect([sequence, shardId]).toEqual([BigInt(100 + index), 1]);
    added.push({ key: "hello", shard: 1, sequence: 100 + index, timestamp, text });
  }
  expect(hex(temp.bytes)).toBe(appended(fixture("consumer.ss"), added));
  expect(temp.eventCodes()).toEqual([]);
});

test("a new file holds what the document says, and its sequences begin at 1 in every shard", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect({ beaconInterval: 1024 });
  const producer = await streamer.createProducer("a", { shards: 2 });
  const receipts = await producer.sendMany(numbered("m", 50).map((value, index) => ({ value, shard: index % 2, timestampMs: 5 })));
  expect(receipts.every((receipt, index) => receipt.status === "fulfilled" && receipt.value.sequence === BigInt((index >> 1) + 1))).toBe(
    true,
  );
  const header = decodeFileHeader(temp.bytes);
  expect(header).toMatchObject({ fileName: "events.ss", beaconInterval: 1024 });
  const samples = numbered("m", 50).map((text, index) => ({
    key: "a",
    shard: index % 2,
    sequence: (index >> 1) + 1,
    timestamp: 5,
    payload: Buffer.from(text),
  }));
  expect(hex(temp.bytes.subarray(128))).toBe(hex(encodeFile(1024, samples).subarray(128)));
  expect(temp.eventCodes()).toEqual(["stream-created"]);
});

test("an existing file's own beacon interval wins", async () => {
  await using temp = new TempFile(fixture("consumer.ss"));
  await (await (await temp.connect({ beaconInterval: 4096 })).createProducer("other")).send("x".repeat(3000));
  expect(decodeFile(temp.bytes, { beacons: true }).filter(({ kind }) => kind === "beacon").length).toBe(7);
  expect(temp.events).toMatchObject([{ code: "stream-created", streamKey: "other" }]);
});

test("producers of one process share the writer, whatever spelling of the path they have, and keep their order", async () => {
  await using temp = new TempFile();
  symlinkSync(temp.directory, `${temp.directory}/link`);
  const streamers = [await temp.connect(), await temp.connect({}, `file://${temp.directory}/link/./events.ss`), await temp.connect()];
  const producers = await Promise.all(streamers.map((streamer) => streamer.createProducer("s")));
  const sent = numbered("m", 600).map((text, index) => producers[index % 3]?.send(text));
  const sequences = (await Promise.all(sent)).map((receipt) => receipt?.sequence ?? 0n);
  expect(new Set(sequences).size).toBe(600);
  const texts = await readAll(await temp.connect());
  for (const turn of [0, 1, 2]) {
    expect(texts.filter((text) => Number(text.slice(2)) % 3 === turn)).toEqual(numbered("m", 600).filter((_, index) => index % 3 === turn));
  }
});

test("a torn tail is cut back to the last whole message, at whatever byte it was torn, with an event", async () => {
  const whole = encodeFile(
    1024,
    messages(12, (index) => 60 + index * 9),
  );
  const ends = onlyMessages(decodeFile(whole)).map(({ endOffset }) => endOffset);
  for (let size = 129; size < whole.length; size += 17) {
    await using temp = new TempFile(whole.subarray(0, size));
    const count = ends.filter((end) => end <= size).length;
    await (await (await temp.connect()).createProducer("after")).send("after");
    const texts = await readAll(await temp.connect());
    expect(texts.length).toBe(count + 1);
    expect(texts.at(-1)).toBe("after");
    const isTorn = size !== 128 && !ends.includes(size) && decodeFile(whole.subarray(0, size), { beacons: true }).at(-1)?.kind !== "beacon";
    if (isTorn) expect(temp.eventCodes()).toContain("tail-cut");
    expect(decodeFile(temp.bytes).some(({ kind }) => kind === "problem")).toBe(false);
  }
});

test("a tail that no crash explains is kept beside the file before it is cut off", async () => {
  const whole = encodeFile(
    1024,
    messages(3, () => 40),
  );
  const garbage = Buffer.from("\0 this was never a message, and a crash does not write such things \0".repeat(4));
  await using temp = new TempFile(Buffer.concat([whole, garbage]));
  await (await (await temp.connect()).createProducer("s")).send("after");
  expect(temp.events[0]).toMatchObject({ code: "tail-kept", level: "warn", count: garbage.length });
  const kept = temp.names.find((name) => name.startsWith("events.ss.torn-"));
  expect(readFileSync(join(temp.directory, kept ?? "missing")).equals(garbage)).toBe(true);
  expect((await readAll(await temp.connect())).length).toBe(4);
});

test("a file whose header is cut short, or that is empty, is begun anew", async () => {
  for (const size of [0, 1, 2, 3, 60, 127]) {
    await using temp = new TempFile(encodeFile(1024, []).subarray(0, size));
    await (await (await temp.connect()).createProducer("s")).send("first");
    expect(decodeFileHeader(temp.bytes).beaconInterval).toBe(1_048_576);
    expect(await readAll(await temp.connect())).toEqual(["first"]);
  }
});

test("what another writer leaves behind while the file is open is cut off, and nothing of ours is lost", async () => {
  await using temp = new TempFile();
  const producer = await (await temp.connect()).createProducer("s");
  for (let round = 0; round < 5; round++) {
    await producer.send(`m-${round}`);
    appendFileSync(
      temp.path,
      encodeFile(
        1024,
        messages(1, () => 500),
      ).subarray(128, 128 + 100 * round),
    );
  }
  expect(await readAll(await temp.connect())).toEqual(numbered("m", 5));
});

test("create: only refuses a file that is there, at connect and when it came since", async () => {
  await using temp = new TempFile();
  const first = await temp.connect({ create: "only" });
  const second = await temp.connect({ create: "only" });
  const producer = await first.createProducer("s");
  await first.createProducer("another");
  await producer.send("x");
  await expect(second.createProducer("s")).rejects.toMatchObject({ code: "invalid-option", message: expect.stringContaining("exists") });
  await expect(temp.connect({ create: "only" })).rejects.toMatchObject({ code: "invalid-option", phase: "setup" });
});

test("end-of-stream is written when the last producer closes, and goes with the next append", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect({ endWithEos: true });
  const [one, two] = [await streamer.createProducer("s"), await streamer.createProducer("s")];
  await one.send("1");
  await one.close();
  await two.send("2");
  expect(decodeFile(temp.bytes).map(({ kind }) => kind)).toEqual(["message", "message"]);
  await two.close();
  expect(decodeFile(temp.bytes).map(({ kind }) => kind)).toEqual(["message", "message", "eos"]);
  const consumer = await streamer.createConsumer("s");
  await (await streamer.createProducer("s")).send("3");
  expect((await consumer.next()).text()).toBe("3");
  expect(decodeFile(temp.bytes).map(({ kind }) => kind)).toEqual(["message", "message", "message"]);
  await streamer.close();
  expect(decodeFile(temp.bytes).map(({ kind }) => kind)).toEqual(["message", "message", "message", "eos"]);
});

test("the size limit is kept to the byte: what just fits is written, what does not is stream-full, nothing is torn", async () => {
  for (const withKey of [false, true]) {
    const send = withKey ? { timestampMs: 9, key: "k" } : { timestampMs: 9 };
    const fill = async (sizeLimit: number): Promise<number[]> => {
      await using temp = new TempFile();
      const producer = await (await temp.connect({ sizeLimit, beaconInterval: 1024 })).createProducer("s");
      const results = await producer.sendMany(Array.from({ length: 60 }, () => ({ value: "x".repeat(100), ...send })));
      for (const result of results) if (result.status === "rejected") expect(isStreamError(result.reason, "stream-full")).toBe(true);
      await expect(producer.send("x".repeat(sizeLimit), send)).rejects.toMatchObject({ code: "stream-full", retryable: false });
      const items = decodeFile(temp.bytes);
      expect(items.every(({ kind }) => kind === "message")).toBe(true);
      expect(results.filter(({ status }) => status === "fulfilled").length).toBe(items.length);
      return [items.length, temp.bytes.length];
    };
    const [count = 0, size = 0] = await fill(5000);
    expect(size).toBeLessThanOrEqual(5000);
    expect(await fill(size)).toEqual([count, size]);
    expect((await fill(size - 1))[0]).toBe(count - 1);
  }
});

test("below the limit there is room for the end-of-stream, too", async () => {
  for (let sizeLimit = 2000; sizeLimit < 2200; sizeLimit += 13) {
    await using temp = new TempFile();
    const streamer = await temp.connect({ sizeLimit, beaconInterval: 1024, endWithEos: true });
    await (await streamer.createProducer("s")).sendMany(Array.from({ length: 60 }, () => ({ value: "x".repeat(9) })));
    await streamer.close();
    expect(temp.bytes.length).toBeLessThanOrEqual(sizeLimit);
    expect(temp.bytes.length).toBeGreaterThan(sizeLimit - 100);
    expect(decodeFile(temp.bytes).at(-1)?.kind).toBe("eos");
  }
});

test("headers: false refuses what SeaStreamer has no place for", async () => {
  await using temp = new TempFile();
  const producer = await (await temp.connect({ headers: false })).createProducer("s");
  for (const options of [{ key: "k" }, { headers: { a: "b" } }, { messageId: "id" }]) {
    await expect(producer.send("x", options)).rejects.toMatchObject({ code: "unsupported" });
  }
  await producer.send("plain");
  expect(decodeFile(temp.bytes, { raw: true }).length).toBe(1);
});

test("what is no .ss file is not touched, and the error says what it is", async () => {
  for (const content of ["not a file of ours", "x".repeat(500), "Ss\u0002".padEnd(200)]) {
    await using temp = new TempFile(Buffer.from(content));
    await expect(temp.connect()).rejects.toMatchObject({ code: "corrupt-data", phase: "setup" });
    expect(temp.bytes.toString()).toBe(content);
  }
  await using temp = new TempFile();
  mkdirSync(temp.path);
  await expect(temp.connect()).rejects.toMatchObject({ code: "invalid-url" });
  await expect(temp.connect({}, `file://${temp.directory}/missing/x.ss`)).rejects.toMatchObject({
    code: "connect-failed",
    message: expect.stringContaining("create it"),
  });
  const longName = await temp.connect({}, `file://${temp.directory}/${"n".repeat(110)}.ss`);
  await expect(longName.createProducer("s")).rejects.toMatchObject({ code: "invalid-option" });
  expect(temp.names).toEqual(["events.ss"]);
});

test("without createStream nothing is made", async () => {
  await using temp = new TempFile();
  const streamer = await temp.connect();
  await expect(streamer.createProducer("s", { createStream: false })).rejects.toMatchObject({ code: "stream-not-found" });
  const producer = await streamer.createProducer(undefined, { createStream: false });
  await expect(producer.sendTo("s", "x")).rejects.toMatchObject({ code: "stream-not-found" });
  expect(temp.names).toEqual([]);
});

test("a producer whose file was removed, replaced or cut to nothing says so instead of writing into the void", async () => {
  const spoiled = [
    { spoil: (temp: TempFile) => rmSync(temp.path), code: "stream-not-found" },
    { spoil: (temp: TempFile) => truncateSync(temp.path), code: "corrupt-data" },
    {
      spoil: (temp: TempFile) =>
        writeFileSync(
          temp.path,
          encodeFile(
            1024,
            messages(3, () => 10),
          ),
        ),
      code: "corrupt-data",
    },
  ];
  for (const { spoil, code } of spoiled) {
    await using temp = new TempFile();
    const streamer = await temp.connect();
    const producer = await streamer.createProducer("s");
    await producer.send("before");
    spoil(temp);
    await expect(producer.send("lost")).rejects.toMatchObject({ code, retryable: false });
    await expect(producer.send("lost, too")).rejects.toMatchObject({ code });
    const again = await streamer.createProducer("s");
    await again.send("after");
    expect(await readAll(await temp.connect(), "s")).toEqual(["after"]);
  }
});
