import fc from "fast-check";
import { expect, test } from "vitest";
import {
  appendAll,
  decodeFile,
  EOS_TIME,
  encodeFile,
  fixture,
  hex,
  messages,
  onlyMessages,
  type SampleMessage,
} from "../../test/fixtures/sample-files.ts";
import { SsEncoder } from "./ss-encoder.ts";
import { scanTail, type TailScan, type TailScanOptions } from "./tail-scan.ts";

const read = (file: Uint8Array) => async (offset: number, length: number) => file.subarray(offset, Math.min(file.length, offset + length));
const scan = (file: Uint8Array, options?: TailScanOptions) => scanTail(read(file), file.length, options);
const fromBeacons: TailScanOptions = { readWholeUpToBytes: 0 };

/** Cuts the file as the scan says and appends. */
function goOn(file: Uint8Array, { end, state }: TailScan, more: readonly (SampleMessage | "eos")[]): Uint8Array {
  return Buffer.concat([file.subarray(0, end), appendAll(new SsEncoder(state!), more)]);
}

const withExtras = (one: SampleMessage): SampleMessage => ({ ...one, extras: { key: "key", messageId: "id" } });
const sample = messages(30, (index) => (index * 83) % 300, 2).map((one, index) => (index % 4 === 1 ? withExtras(one) : one));

test("consumer.ss ends with an end-of-stream, whose removal leaves the state of its last message", async () => {
  const found = await scan(fixture("consumer.ss"));
  expect(found).toMatchObject({ end: 4830 - 56, eos: { startOffset: 4830 - 56 }, tornBytes: 0, isTailCorrupt: false, problems: [] });
  expect(found.state).toMatchObject({ markersWritten: 4, streams: [{ key: "hello", shard: 1, sequence: 99 }] });
  expect(hex(goOn(fixture("consumer.ss"), found, []))).toBe(hex(fixture("consumer.ss").subarray(0, 4774)));
});

test.each([128, 640, 2048, 65536])(
  "appending goes on as if the end-of-stream had not been written, at every message, interval %i",
  async (interval) => {
    const whole = encodeFile(interval, sample);
    for (let cut = 0; cut <= sample.length; cut++) {
      for (const options of [{}, fromBeacons]) {
        const closed = encodeFile(interval, [...sample.slice(0, cut), "eos"]);
        const found = await scan(closed, options);
        expect(found.eos?.timestamp).toBe(EOS_TIME);
        expect(found.tornBytes).toBe(0);
        expect(hex(goOn(closed, found, sample.slice(cut)))).toBe(hex(whole));

        const open = encodeFile(interval, sample.slice(0, cut));
        const again = await scan(open, options);
        expect(again.eos).toBeUndefined();
        expect(hex(goOn(open, again, sample.slice(cut)))).toBe(hex(whole));
      }
    }
  },
);

test.each([128, 640, 2048])(
  "a tail torn at any byte is cut back to the last whole message and written again the same, interval %i",
  async (interval) => {
    const whole = encodeFile(interval, sample);
    const decoded = onlyMessages(decodeFile(whole));
    for (let size = 128; size <= whole.length; size++) {
      const torn = whole.subarray(0, size);
      const kept = decoded.filter(({ endOffset }) => endOffset <= size).length;
      for (const options of [{}, fromBeacons]) {
        const found = await scan(torn, options);
        expect(found.end).toBeLessThanOrEqual(size);
        expect(found.tornBytes).toBe(size - found.end);
        expect(found.isTailCorrupt).toBe(false);
        expect(hex(goOn(torn, found, sample.slice(kept)))).toBe(hex(whole));
      }
    }
  },
);

test("an end-of-stream with a torn message behind it is removed as well", async () => {
  const closed = encodeFile(640, [...sample.slice(0, 5), "eos"]);
  const torn = Buffer.concat([closed, encodeFile(640, sample.slice(0, 1)).subarray(128, 140)]);
  const found = await scan(torn);
  expect(found).toMatchObject({ tornBytes: 12, eos: { timestamp: EOS_TIME } });
  expect(hex(goOn(torn, found, sample.slice(5)))).toBe(hex(encodeFile(640, sample)));
});

test("an end-of-stream in the middle stays and counts as a stream", async () => {
  const file = encodeFile(640, [...sample.slice(0, 5), "eos", ...sample.slice(5, 8)]);
  const found = await scan(file);
  expect(found).toMatchObject({ end: file.length, eos: undefined });
  expect(found.state?.streams.map(({ key }) => key)).toContain("SEA_STREAMER_INTERNAL");
  expect(hex(goOn(file, found, sample.slice(8)))).toBe(hex(encodeFile(640, [...sample.slice(0, 5), "eos", ...sample.slice(5)])));
});

test("an orphan header frame at the end is cut, also one that an end-of-stream follows", async () => {
  const before = encodeFile(2048, sample.slice(0, 4));
  const both = encodeFile(2048, [...sample.slice(0, 4), withExtras(sample[4]!)]);
  const frameOnly = both.subarray(0, both.length - (encodeFile(2048, sample.slice(0, 5)).length - before.length));
  const found = await scan(frameOnly);
  expect(found).toMatchObject({ end: before.length, tornBytes: frameOnly.length - before.length, isTailCorrupt: false });
  expect(hex(goOn(frameOnly, found, sample.slice(4)))).toBe(hex(encodeFile(2048, sample)));

  const eos = encodeFile(2048, ["eos"]).subarray(128);
  const closed = Buffer.concat([frameOnly, eos]);
  expect(await scan(closed)).toMatchObject({ end: before.length, eos: { timestamp: EOS_TIME } });
});

test("a large file is known from its beacons and the messages after the last of them", async () => {
  const many = messages(2000, () => 50, 2);
  const file = encodeFile(2048, many);
  let bytesRead = 0;
  const counted = async (offset: number, length: number) => {
    bytesRead += length;
    return file.subarray(offset, Math.min(file.length, offset + length));
  };
  const found = await scanTail(counted, file.length, { readWholeUpToBytes: 0 });
  expect(found.scannedFrom).toBeGreaterThan(file.length - 3 * 2048);
  expect(bytesRead).toBeLessThan(file.length / 2);
  expect({ ...found, scannedFrom: 128 }).toEqual(await scan(file));
});

test("a file whose beacons have no room for all streams is read whole", async () => {
  const file = encodeFile(640, sample);
  expect(await scan(file, fromBeacons)).toEqual(await scan(file));
});

test("a file appended to with states afresh, as SeaStreamer does, is read whole", async () => {
  const first = encodeFile(
    4096,
    messages(300, () => 50, 2),
  );
  const afresh = new SsEncoder({ offset: first.length, beaconInterval: 4096, streams: [], markersWritten: 0 });
  const other = { key: "other", shard: 0, timestamp: 1, payload: new Uint8Array(60) };
  const file = Buffer.concat([
    first,
    appendAll(
      afresh,
      Array.from({ length: 300 }, (_, index) => ({ ...other, sequence: index + 1 })),
    ),
  ]);
  const found = await scan(file, fromBeacons);
  expect(found.scannedFrom).toBe(128);
  expect(found.state?.streams.map(({ key, shard, sequence }) => `${key}/${shard}:${sequence}`)).toEqual([
    "other/0:300",
    "stream-0/0:299",
    "stream-1/3:300",
  ]);
});

test("what another writer appended is read on from a known state", async () => {
  const first = encodeFile(640, sample.slice(0, 10));
  const known = (await scan(first)).state!;
  const whole = encodeFile(640, sample.slice(0, 20));
  const found = await scan(whole, { from: known });
  expect(found.scannedFrom).toBe(known.offset);
  expect({ ...found, scannedFrom: 128 }).toEqual(await scan(whole));
  expect(await scan(first.subarray(0, 400), { from: known })).toEqual(await scan(first.subarray(0, 400)));
});

test("an empty file and a header cut short are to be begun anew, another file is never touched", async () => {
  const file = encodeFile(640, []);
  for (const size of [0, 1, 3, 127]) {
    expect(await scan(file.subarray(0, size))).toMatchObject({ header: undefined, end: 0, state: undefined, tornBytes: size });
  }
  await expect(scan(Buffer.from("hello"))).rejects.toThrow(/^corrupt-data: /);
  await expect(scan(Buffer.alloc(500))).rejects.toThrow(/^corrupt-data: /);
});

test("a tail that cannot be made out is told from one cut short", async () => {
  const file = encodeFile(65536, sample);
  const cutShort = file.subarray(0, file.length - 7);
  expect(await scan(cutShort)).toMatchObject({ isTailCorrupt: false });
  const [third] = onlyMessages(decodeFile(file)).slice(2);
  const broken = Uint8Array.from(file);
  broken[third!.startOffset] = 0;
  const found = await scan(broken);
  expect(found).toMatchObject({ end: third!.startOffset, isTailCorrupt: true });
  expect(found.problems).toMatchObject([{ code: "skipped", startOffset: third!.startOffset, endOffset: file.length }]);
  expect(await scan(Buffer.concat([file, Buffer.alloc(4096)]))).toMatchObject({ end: file.length, isTailCorrupt: true, tornBytes: 4096 });
});

test("a size that grew by a bit in the last interval is not taken for a torn tail", async () => {
  const file = encodeFile(65536, sample);
  const third = onlyMessages(decodeFile(file))[2]!;
  file[third.startOffset + 17 + 17] = 1;
  const found = await scan(file);
  expect(found).toMatchObject({ end: third.startOffset, isTailCorrupt: true, tornBytes: file.length - third.startOffset });
});

test("arbitrary bytes behind a header never crash a scan, and what it keeps scans to the same end", async () => {
  const file = encodeFile(640, sample);
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 128), fc.uint8Array({ maxLength: 2000 }), fc.boolean(), async (keep, noise, beacons) => {
      const bytes = Buffer.concat([file.subarray(0, 128 + keep), noise]);
      const found = await scan(bytes, beacons ? fromBeacons : {});
      expect(found.end).toBeLessThanOrEqual(bytes.length);
      const again = await scan(bytes.subarray(0, found.end));
      expect([again.end, again.tornBytes]).toEqual([found.end, 0]);
    }),
    { numRuns: 500 },
  );
});

test("a damaged last message keeps its place and its sequence", async () => {
  const file = encodeFile(640, sample);
  file[file.length - 6] = file.at(-6)! ^ 1;
  const found = await scan(file);
  expect(found.end).toBe(file.length);
  expect(found.problems.map(({ code }) => code)).toEqual(["orphan-headers", "bad-checksum"]);
  expect(found.state?.streams).toEqual((await scan(encodeFile(640, sample))).state?.streams);
});
