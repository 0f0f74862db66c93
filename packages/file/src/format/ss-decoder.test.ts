import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeFile,
  EOS_TIME,
  encodeFile,
  fixture,
  hex,
  messages,
  onlyMessages,
  onlyProblems,
  plain,
  reencode,
  type SampleMessage,
} from "../../test/fixtures/sample-files.ts";
import { DecodedMessage } from "./decoded-message.ts";
import type { SsItem } from "./decoder-item.ts";
import { SsDecoder } from "./ss-decoder.ts";
import { SsEncoder } from "./ss-encoder.ts";

test("consumer.ss holds a hundred messages and an end-of-stream", () => {
  const items = decodeFile(fixture("consumer.ss"));
  expect(items.map((item) => item.kind)).toEqual([...new Array(100).fill("message"), "eos"]);
  const decoded = onlyMessages(items);
  expect(decoded.map((message) => [message.streamKey, message.shard, message.sequence, Buffer.from(message.payload).toString()])).toEqual(
    Array.from({ length: 100 }, (_, index) => ["hello", 1, index, `hello-${index}`]),
  );
  expect(decoded[0]).toMatchObject({ startOffset: 128, endOffset: 172, timestampMs: 0x0189_e05a_31f9, checksum: 0xf556, payloadBytes: 7 });
  expect(items.at(-1)).toMatchObject({ kind: "eos", startOffset: 4830 - 56, endOffset: 4830 });
});

test("sample-1.ss holds 28 messages with its end-of-stream, 22 of them under `event`", () => {
  const items = decodeFile(fixture("sample-1.ss"));
  expect(items).toHaveLength(28);
  expect(onlyMessages(items).filter(({ streamKey }) => streamKey === "event")).toHaveLength(22);
  expect(items.at(-1)?.kind).toBe("eos");
});

test("the items are the same however the file is cut into chunks", () => {
  const file = encodeFile(640, [...messages(60, (index) => (index * 41) % 900, 3), "eos"]);
  const whole = decodeFile(file, { beacons: true }).map(describe);
  for (const sizes of [[1], [2, 3, 5, 7], [33], [127], [640], [1000, 1]]) {
    expect(decodeFile(file, { beacons: true }, sizes).map(describe)).toEqual(whole);
  }
});

function describe(item: ReturnType<typeof decodeFile>[number]): unknown {
  return item.kind === "message" ? { ...plain(item), start: item.startOffset, end: item.endOffset } : item;
}

test("any messages, interval and chunks make a round trip", () => {
  const value = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Uint8Array.of(0xff, ...bytes)),
  );
  const extras = fc.record(
    { key: value, messageId: fc.string(), headers: fc.array(fc.tuple(fc.string(), value), { minLength: 1, maxLength: 3 }) },
    { requiredKeys: ["key"] },
  );
  const message = fc.record(
    {
      key: fc.stringMatching(/^[a-c._-]{1,4}$/),
      shard: fc.oneof(fc.nat(3), fc.constant(Number.MAX_SAFE_INTEGER)),
      sequence: fc.oneof(fc.nat(1000), fc.bigInt(2n ** 53n, 2n ** 64n - 1n)),
      timestamp: fc.oneof(fc.nat(), fc.bigInt(2n ** 53n, 2n ** 64n - 1n)),
      payload: fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 1000, maxLength: 3000 })),
      extras,
    },
    { requiredKeys: ["key", "shard", "sequence", "timestamp", "payload"] },
  );
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 30 }),
      fc.oneof(fc.constantFrom(128, 570, 571, 640, 1024, 2048), fc.integer({ min: 128, max: 5000 })),
      fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 }),
      (list, interval, chunkBytes) => {
        const file = encodeFile(interval, list as SampleMessage[]);
        const items = decodeFile(file, {}, chunkBytes);
        expect(items.every((item) => item.kind === "message")).toBe(true);
        expect(onlyMessages(items).map((one) => comparable(plain(one)))).toEqual(list.map((one) => comparable(one as SampleMessage)));
        const again = SsEncoder.startFile({ fileName: "sample.ss", createdAt: 1_700_000_000_000, beaconInterval: interval });
        for (const { streamKey, shard, sequence, timestamp, payload, extras: given } of onlyMessages(items)) {
          again.append(again.stream(streamKey, shard), sequence, timestamp, payload, given);
        }
        expect(hex(again.take().bytes)).toBe(hex(file));
      },
    ),
    { numRuns: 300 },
  );
});

function comparable(message: SampleMessage): unknown {
  return { ...message, payload: hex(message.payload), extras: JSON.stringify(message.extras, ["key", "messageId", "headers"]) };
}

test("a payload is a view of its chunk unless something splits it", () => {
  const file = encodeFile(
    1024,
    messages(3, () => 300),
  );
  const decoder = new SsDecoder(1024);
  const chunk = file.subarray(128);
  decoder.push(chunk);
  const decoded = [decoder.next(), decoder.next(), decoder.next()].flatMap((item) => (item?.kind === "message" ? [item] : []));
  expect(decoded.map(({ payload }) => payload.buffer === chunk.buffer)).toEqual([true, true, false]);
});

test("every message can be decoded from its own start, and the next from its end", () => {
  const sample = messages(30, (index) => (index * 97) % 700).map((one, index) => (index % 3 ? one : { ...one, extras: { key: "k" } }));
  const file = encodeFile(640, sample);
  const decoded = onlyMessages(decodeFile(file));
  decoded.forEach((message, index) => {
    const decoder = new SsDecoder(640);
    decoder.reset(message.startOffset);
    decoder.push(file.subarray(message.startOffset));
    expect(plain(decoder.next() as typeof message)).toEqual(sample[index]);
    decoder.reset(message.endOffset);
    decoder.push(file.subarray(message.endOffset));
    const next = decoder.next();
    expect(next?.kind === "message" ? next.startOffset : undefined).toBe(decoded[index + 1]?.startOffset);
  });
});

test("a file cut at any byte is readable up to its last whole message, and wholeEnd tells where that ends", () => {
  const sample = messages(14, (index) => (index * 83) % 400, 2);
  for (const interval of [128, 640, 1024]) {
    const file = encodeFile(interval, sample);
    const ends = onlyMessages(decodeFile(file)).map(({ endOffset }) => endOffset);
    for (let size = 128; size <= file.length; size++) {
      const decoder = new SsDecoder(interval);
      decoder.push(file.subarray(128, size));
      const items: SsItem[] = [];
      while (decoder.pull(items, 10) > 0);
      expect(items.map((item) => item.kind)).toEqual(ends.filter((end) => end <= size).map(() => "message"));
      const lastEnd = ends.findLast((end) => end <= size) ?? 128;
      // The beacon behind the last message belongs to what is whole, if it is there.
      expect(decoder.wholeEnd).toBeGreaterThanOrEqual(lastEnd);
      expect(decoder.wholeEnd === lastEnd || lastEnd % interval === 0).toBe(true);
      expect(decoder.lostSince).toBeUndefined();

      const offset = decoder.rewind();
      expect(offset).toBe(decoder.wholeEnd);
      decoder.push(file.subarray(offset), offset);
      while (decoder.pull(items, 10) > 0);
      expect(onlyMessages(items).map(plain)).toEqual(sample);
    }
  }
});

test("after a rewind other bytes may follow the last whole message", () => {
  const [first, second, third] = messages(3, () => 50);
  const file = encodeFile(1024, [first!, second!]);
  const other = encodeFile(1024, [first!, third!]);
  const decoder = new SsDecoder(1024);
  decoder.push(file.subarray(128, file.length - 5));
  expect(plain(decoder.next() as never)).toEqual(first);
  expect(decoder.next()).toBeUndefined();
  const offset = decoder.rewind();
  decoder.push(other.subarray(offset), offset);
  expect(plain(decoder.next() as never)).toEqual(third);
});

test("decoding from any beacon yields the messages that begin after it", () => {
  for (const interval of [128, 640, 2048]) {
    const file = encodeFile(
      interval,
      messages(60, (index) => (index * 131) % 900, 3),
    );
    const starts = onlyMessages(decodeFile(file)).map(({ startOffset }) => startOffset);
    for (let offset = 0; offset < file.length; offset += interval) {
      const decoder = new SsDecoder(interval);
      decoder.startAtBeacon(offset);
      decoder.push(file.subarray(decoder.pushOffset));
      const items: SsItem[] = [];
      while (decoder.pull(items, 10) > 0);
      expect(onlyProblems(items)).toEqual([]);
      expect(onlyMessages(items).map(({ startOffset }) => startOffset)).toEqual(starts.filter((start) => start >= offset));
    }
  }
});

test("an offset below the first beacon means the first message", () => {
  const decoder = new SsDecoder(640);
  for (const offset of [0, 128, 500, 639]) {
    decoder.startAtBeacon(offset);
    expect([decoder.pushOffset, decoder.wholeEnd]).toEqual([128, 128]);
  }
});

test("a rewind before the first boundary goes back to the beacon", () => {
  const file = encodeFile(
    640,
    messages(1, () => 3000),
  );
  const decoder = new SsDecoder(640);
  decoder.startAtBeacon(1280);
  decoder.push(file.subarray(1280, 2000));
  expect(decoder.next()).toBeUndefined();
  expect(decoder.rewind()).toBe(1280);
  decoder.push(file.subarray(1280), 1280);
  expect(decoder.next()).toBeUndefined();
  expect(decoder.wholeEnd).toBe(file.length);
});

test("a chunk from another place is refused", () => {
  expect(() => new SsDecoder(1024).push(new Uint8Array(5), 129)).toThrow(RangeError);
});

test("beacons are yielded to those who ask, before the message they split", () => {
  const file = encodeFile(
    1024,
    messages(3, () => 500),
  );
  const items = decodeFile(file, { beacons: true });
  expect(items.map((item) => item.kind)).toEqual(["message", "beacon", "message", "message"]);
  expect(items[1]).toMatchObject({ startOffset: 1024, remaining: 540 * 2 - (1024 - 128) });
});

test("an end-of-stream in the middle of a file is an item, and what follows is read", () => {
  const [first, second] = messages(2, () => 10);
  const items = decodeFile(encodeFile(1024, [first!, "eos", second!, "eos"]));
  expect(items.map((item) => item.kind)).toEqual(["message", "eos", "message", "eos"]);
  expect(items[1]).toMatchObject({ timestamp: EOS_TIME, startOffset: 128 + 50, endOffset: 128 + 106 });
});

const withExtras = (one: SampleMessage): SampleMessage => ({ ...one, extras: { key: "k", messageId: "m", headers: [["a", "b"]] } });

test("a header frame lends its extras to the very next message", () => {
  const [first, second] = messages(2, () => 10);
  const items = decodeFile(encodeFile(1024, [withExtras(first!), second!]));
  expect(onlyMessages(items).map(({ extras }) => extras)).toEqual([{ key: "k", messageId: "m", headers: [["a", "b"]] }, undefined]);
  expect(items[0]).toMatchObject({ startOffset: 128 });
});

test("a header frame is found across beacons that split it and its message anywhere", () => {
  const [filler, message] = messages(2, () => 10);
  for (let fill = 0; fill < 400; fill++) {
    const file = encodeFile(640, [{ ...filler!, payload: new Uint8Array(fill) }, withExtras(message!)]);
    const items = decodeFile(file);
    expect(items.map((item) => (item.kind === "message" ? item.extras?.key : item.kind))).toEqual([undefined, "k"]);
    expect(hex(reencode(file))).toBe(hex(file));
  }
});

test("a header frame never lends its extras to a message that differs in stream, shard, sequence, time or payload", () => {
  const [first] = messages(1, () => 10);
  const frameBytes = encodeFile(1024, [withExtras(first!)]).length - encodeFile(1024, [first!]).length;
  const others: SampleMessage[] = [
    { ...first!, key: "other" },
    { ...first!, shard: 1 },
    { ...first!, sequence: 2 },
    { ...first!, timestamp: 1 },
    { ...first!, payload: new Uint8Array(10) },
  ];
  for (const other of others) {
    const frame = encodeFile(1024, [withExtras(first!)]).subarray(0, 128 + frameBytes);
    const file = Buffer.concat([frame, encodeFile(1024, [other]).subarray(128)]);
    const items = decodeFile(file);
    expect(onlyMessages(items).map(plain)).toEqual([other]);
    expect(onlyProblems(items)).toMatchObject([{ code: "orphan-headers", startOffset: 128, endOffset: 128 + frameBytes }]);
  }
});

test("wholeEnd lies before a header frame whose message has not come, and the frame is an orphan when nothing comes", () => {
  const [first] = messages(1, () => 10);
  const file = encodeFile(1024, [first!, withExtras({ ...first!, sequence: 2 })]);
  const frameStart = 128 + 50;
  const decoder = new SsDecoder(1024);
  decoder.push(file.subarray(128, file.length - 20));
  expect(decoder.next()?.kind).toBe("message");
  expect(decoder.next()).toBeUndefined();
  expect(decoder.wholeEnd).toBe(frameStart);
  decoder.finish();
  expect(decoder.next()).toMatchObject({ code: "orphan-headers", startOffset: frameStart });
  expect(decoder.wholeEnd).toBe(frameStart);
  decoder.rewind();
  decoder.push(file.subarray(frameStart), frameStart);
  expect(decoder.next()).toMatchObject({ kind: "message", sequence: 2, extras: { key: "k" } });
});

test("header frames are plain messages for those who ask for raw ones", () => {
  const [first] = messages(1, () => 10);
  const items = onlyMessages(decodeFile(encodeFile(1024, [withExtras(first!)]), { raw: true }));
  expect(items.map(({ streamKey, extras }) => [streamKey, extras])).toEqual([
    ["SEA_STREAMER_INTERNAL", undefined],
    ["stream-0", undefined],
  ]);
});

test("messages are made of the class that is asked for, those with wrong payloads, too", () => {
  class Counted extends DecodedMessage {
    readonly isCounted = true;
  }
  const file = encodeFile(
    1024,
    messages(30, () => 60),
  );
  file[onlyMessages(decodeFile(file))[2]!.endOffset - 5]! ^= 1;
  const items = decodeFile(file, { messageType: Counted });
  expect(onlyMessages(items).every((message) => message instanceof Counted)).toBe(true);
  expect(onlyProblems(items)[0]?.message).toBeInstanceOf(Counted);
});

test("a payload is no Buffer, whose slice would not be a copy", () => {
  for (const { payload } of onlyMessages(
    decodeFile(
      encodeFile(
        1024,
        messages(30, () => 60),
      ),
      {},
      [77],
    ),
  )) {
    expect(Object.getPrototypeOf(payload)).toBe(Uint8Array.prototype);
  }
});
