import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeFile,
  encodeFile,
  fixture,
  hex,
  messages,
  onlyMessages,
  plain,
  reencode,
  type SampleMessage,
} from "../../test/fixtures/sample-files.ts";
import { SsEncoder } from "./ss-encoder.ts";

const payload = (text: string) => Buffer.from(text);
const header = { fileName: "a.ss", createdAt: 0, beaconInterval: 1024 };

/** Removes the beacons at every multiple of the interval, given the length of each. */
function beaconsOf(file: Uint8Array): { remaining: number; markers: string }[] {
  return decodeFile(file, { beacons: true }).flatMap((item) =>
    item.kind === "beacon"
      ? [{ remaining: item.remaining, markers: item.markers.map(({ id, sequence }) => `${id.key}/${id.shard}:${sequence}`).join(" ") }]
      : [],
  );
}

test.each(["consumer.ss", "sample-1.ss"])("%s, written by SeaStreamer, is decoded and encoded to the same bytes", (name) => {
  const file = fixture(name);
  expect(hex(reencode(file))).toBe(hex(file));
  expect(hex(reencode(file, [1]))).toBe(hex(file));
});

test("the first message, the first beacon and the end-of-stream of consumer.ss are the documented bytes", () => {
  const encoder = SsEncoder.startFile({ fileName: "consumer-1691686154741", createdAt: 0x0189_e05a_31f6, beaconInterval: 1024 });
  encoder.take();
  encoder.append(encoder.stream("hello", 1), 0, 0x0189_e05a_31f9, payload("hello-0"));
  expect(hex(encoder.take().bytes)).toBe(
    `0568656c6c6f0000000000000001000000000000000000000189e05a31f900000007${hex(payload("hello-0"))}f5560d`,
  );
  encoder.appendEos(0x0189_e05a_32a9);
  expect(hex(encoder.take().bytes)).toBe(
    `15${hex(payload("SEA_STREAMER_INTERNAL"))}${"00".repeat(16)}00000189e05a32a900000003${hex(payload("EOS"))}ed7c0d`,
  );
});

test("a message is 32 bytes longer than key and payload", () => {
  const encoder = SsEncoder.startFile(header);
  encoder.append(encoder.stream("abc", 0), 1, 1, payload("12345"));
  expect(encoder.offset).toBe(128 + 32 + 3 + 5);
});

test("an interval of exactly 128 puts an empty beacon right behind the header", () => {
  const { bytes } = SsEncoder.startFile({ ...header, beaconInterval: 128 }).take();
  expect(hex(bytes.subarray(128))).toBe("0d00000000000d");
});

test("a message that ends exactly on a beacon is followed by it, with nothing remaining", () => {
  const encoder = SsEncoder.startFile(header);
  encoder.append(encoder.stream("abc", 0), 1, 1, new Uint8Array(1024 - 128 - 35));
  expect(encoder.offset).toBe(1024 + 7 + 3 + 27);
  expect(
    beaconsOf(encodeFile(1024, [{ key: "abc", shard: 0, sequence: 1, timestamp: 1, payload: new Uint8Array(1024 - 128 - 35) }])),
  ).toEqual([{ remaining: 0, markers: "abc/0:1" }]);
});

test("a message one byte longer is split before its last byte", () => {
  const file = encodeFile(1024, [{ key: "abc", shard: 0, sequence: 1, timestamp: 1, payload: new Uint8Array(1024 - 128 - 34) }]);
  expect(beaconsOf(file)).toEqual([{ remaining: 1, markers: "abc/0:1" }]);
  expect(file.at(-1)).toBe(0x0d);
  expect(file.length).toBe(1024 + 37 + 1);
});

test("a beacon may split a message at every one of its bytes", () => {
  const size = 32 + 3 + 20;
  for (let before = 0; before <= size; before++) {
    // The first message fills up so that `before` bytes of the second lie in front of the beacon at 1024.
    const filler = { key: "abc", shard: 0, sequence: 1, timestamp: 1, payload: new Uint8Array(1024 - 128 - 35 - before) };
    const split = { key: "abc", shard: 0, sequence: 2, timestamp: 9, payload: Uint8Array.from({ length: 20 }, (_, at) => at) };
    const file = encodeFile(1024, [filler, split]);
    expect(beaconsOf(file)[0]).toEqual(
      before === 0 ? { remaining: 0, markers: "abc/0:1" } : { remaining: size - before, markers: "abc/0:2" },
    );
    expect(onlyMessages(decodeFile(file)).map(plain)).toEqual([filler, split]);
    expect(hex(reencode(file))).toBe(hex(file));
  }
});

test("a huge message goes over several beacons, each saying what remains", () => {
  const huge = { key: "abc", shard: 0, sequence: 1, timestamp: 1, payload: new Uint8Array(3000).fill(5) };
  const file = encodeFile(640, [huge]);
  const perInterval = 640 - 37;
  const first = 3035 - (640 - 128);
  expect(beaconsOf(file).map(({ remaining }) => remaining)).toEqual([0, 1, 2, 3, 4].map((index) => first - index * perInterval));
  expect(onlyMessages(decodeFile(file)).map(plain)).toEqual([huge]);
});

test("several streams take turns in the beacons: one marker at 640, three at 2048", () => {
  const sample = messages(60, () => 40, 4);
  expect(
    beaconsOf(encodeFile(640, sample))
      .slice(0, 5)
      .map(({ markers }) => markers.replace(/:\d+/, "")),
  ).toEqual(["stream-0/0", "stream-1/3", "stream-2/0", "stream-3/3", "stream-0/0"]);
  expect(
    beaconsOf(encodeFile(2048, sample))
      .slice(0, 2)
      .map(({ markers }) => markers.replace(/:\d+/g, "")),
  ).toEqual(["stream-0/0 stream-1/3 stream-2/0", "stream-3/3 stream-0/0 stream-1/3"]);
});

test("shards of one key are streams of their own", () => {
  const sample = [0, 1].map((shard) => ({ key: "a", shard, sequence: 7 + shard, timestamp: 1, payload: new Uint8Array(1000) }));
  expect(beaconsOf(encodeFile(2048, sample))).toEqual([{ remaining: 2194 - 2048, markers: "a/0:7 a/1:8" }]);
});

test("an end-of-stream in the middle takes part in later beacons", () => {
  const sample = messages(4, () => 900);
  expect(beaconsOf(encodeFile(2048, [sample[0]!, "eos", ...sample.slice(1)]))[0]?.markers).toBe(
    "SEA_STREAMER_INTERNAL/0:0 stream-0/0:1 stream-0/3:2",
  );
});

test("sequence and time of a marker are the greatest so far", () => {
  const at = (sequence: number, timestamp: number) => ({ key: "a", shard: 0, sequence, timestamp, payload: new Uint8Array(500) });
  const file = encodeFile(1024, [at(9, 50), at(3, 70), at(4, 60)]);
  const [beacon] = decodeFile(file, { beacons: true }).filter((item) => item.kind === "beacon");
  expect(beacon?.markers[0]).toMatchObject({ sequence: 9, timestamp: 70 });
});

test("every unsigned 64-bit sequence and time is kept exactly", () => {
  const u64 = fc.bigInt(0n, 2n ** 64n - 1n);
  fc.assert(
    fc.property(fc.array(fc.tuple(u64, u64), { minLength: 1, maxLength: 20 }), (pairs) => {
      const encoder = SsEncoder.startFile({ ...header, beaconInterval: 640 });
      const stream = encoder.stream("a", 0);
      for (const [sequence, timestamp] of pairs) encoder.append(stream, sequence, timestamp, payload("x"));
      const decoded = onlyMessages(decodeFile(encoder.take().bytes));
      expect(decoded.map((message) => [BigInt(message.sequence), BigInt(message.timestamp)])).toEqual(pairs);
    }),
    {
      examples: [
        [
          [
            [2n ** 64n - 1n, 2n ** 53n],
            [2n ** 53n - 1n, 0n],
          ],
        ],
      ],
    },
  );
});

test.each([-1, 1.5, 2 ** 53, Number.NaN, -1n, 2n ** 64n])("the sequence %s is refused and nothing is written", (sequence) => {
  const encoder = SsEncoder.startFile(header);
  expect(() => encoder.append(encoder.stream("a", 0), sequence, 1, payload("x"))).toThrow(/^invalid-option: /);
  expect(encoder.offset).toBe(128);
});

test("what is taken is told with its file offset, and a recycled buffer is used again", () => {
  const encoder = SsEncoder.startFile(header);
  const stream = encoder.stream("a", 0);
  const first = encoder.take();
  expect([first.offset, first.bytes.length]).toEqual([0, 128]);
  encoder.recycle(first);
  encoder.append(stream, 1, 1, payload("x"));
  expect(encoder.pendingBytes).toBe(34);
  const second = encoder.take();
  expect([second.offset, second.bytes.length]).toEqual([128, 34]);
  encoder.append(stream, 2, 2, payload("y"));
  expect(encoder.take().bytes.buffer).toBe(first.bytes.buffer);
});

test("taking nothing gives no bytes and changes nothing", () => {
  const encoder = SsEncoder.startFile(header);
  encoder.take();
  const nothing = encoder.take();
  expect([nothing.offset, nothing.bytes.length]).toEqual([128, 0]);
  encoder.recycle(nothing);
  encoder.append(encoder.stream("a", 0), 1, 1, payload("x"));
  expect(encoder.take()).toMatchObject({ offset: 128, bytes: { length: 34 } });
});

test("bytes do not depend on when they are taken", () => {
  const sample = messages(100, (index) => (index * 37) % 700, 3);
  const encoder = SsEncoder.startFile({ fileName: "sample.ss", createdAt: 1_700_000_000_000, beaconInterval: 640 });
  const parts: Uint8Array[] = [];
  for (const { key, shard, sequence, timestamp, payload: bytes } of sample) {
    encoder.append(encoder.stream(key, shard), sequence, timestamp, bytes);
    const taken = encoder.take();
    parts.push(Uint8Array.from(taken.bytes));
    encoder.recycle(taken);
  }
  expect(hex(Buffer.concat(parts))).toBe(hex(encodeFile(640, sample)));
});

test("an encoder goes on from another's state as if it were the same, at every message", () => {
  const sample: SampleMessage[] = messages(40, (index) => (index * 53) % 400, 5);
  for (const interval of [128, 640, 2048]) {
    const whole = encodeFile(interval, sample);
    for (let cut = 0; cut <= sample.length; cut++) {
      const first = SsEncoder.startFile({ fileName: "sample.ss", createdAt: 1_700_000_000_000, beaconInterval: interval });
      for (const one of sample.slice(0, cut)) first.append(first.stream(one.key, one.shard), one.sequence, one.timestamp, one.payload);
      const second = new SsEncoder(structuredClone(first.state()));
      for (const one of sample.slice(cut)) second.append(second.stream(one.key, one.shard), one.sequence, one.timestamp, one.payload);
      expect(hex(Buffer.concat([first.take().bytes, second.take().bytes]))).toBe(hex(whole));
    }
  }
});

test("a header frame goes right before its message and into no marker", () => {
  const sample = messages(20, () => 100).map((one, index) => (index % 2 ? { ...one, extras: { key: "k", messageId: `m${index}` } } : one));
  const file = encodeFile(640, sample);
  expect(beaconsOf(file).every(({ markers }) => !markers.includes("INTERNAL"))).toBe(true);
  const raw = onlyMessages(decodeFile(file, { raw: true }));
  expect(raw.slice(0, 3).map(({ streamKey, sequence, shard, timestamp }) => [streamKey, sequence, shard, timestamp])).toEqual([
    ["stream-0", 1, 0, 1_700_000_000_000],
    ["SEA_STREAMER_INTERNAL", 2, 3, 1_700_000_000_001],
    ["stream-0", 2, 3, 1_700_000_000_001],
  ]);
  expect(Buffer.from(raw[1]!.payload).toString()).toMatch(/^HDR\{"s":"stream-0","t":1700000000001,"c":\d+,"k":"k","i":"m1"\}$/);
});

test("extras with nothing in them write no frame", () => {
  const [one] = messages(1, () => 10);
  expect(hex(encodeFile(640, [{ ...one!, extras: { headers: [] } }]))).toBe(hex(encodeFile(640, [one!])));
});
