import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFile, encodeFile, messages, onlyMessages, plain, type SampleMessage } from "../../test/fixtures/sample-files.ts";
import { createBeaconReader } from "./beacon-reader.ts";
import { findSeekStart, type SeekStart, type SeekTarget } from "./beacon-search.ts";
import type { DecodedMessage } from "./decoded-message.ts";
import type { SsItem } from "./decoder-item.ts";
import { SsDecoder } from "./ss-decoder.ts";

const read = (file: Uint8Array) => async (offset: number, length: number) => file.subarray(offset, offset + length);

function seek(file: Uint8Array, interval: number, target: SeekTarget): Promise<SeekStart> {
  return findSeekStart(target, Math.floor((file.length - 1) / interval), interval, createBeaconReader(read(file), interval));
}

function readFrom(file: Uint8Array, interval: number, offset: number): DecodedMessage[] {
  const decoder = new SsDecoder(interval);
  decoder.startAtBeacon(offset);
  decoder.push(file.subarray(decoder.pushOffset));
  const items: SsItem[] = [];
  while (decoder.pull(items, 100) > 0);
  return onlyMessages(items);
}

const bound = (beacons: number) => 2 * Math.log2(beacons) + 4;
const one = (index: number, bytes = 30): SampleMessage => ({
  key: "a",
  shard: 0,
  sequence: index,
  timestamp: 1000 + 2 * index,
  payload: new Uint8Array(bytes),
});

test("every sequence and time is found with what comes after it, within one interval and 2·log2(beacons) + 4 reads", async () => {
  const file = encodeFile(
    640,
    Array.from({ length: 600 }, (_, index) => one(index + 1, (index * 7) % 90)),
  );
  const beacons = Math.floor((file.length - 1) / 640);
  const all = onlyMessages(decodeFile(file));
  for (let n = 0; n <= 602; n++) {
    for (const target of [
      { streamKey: "a", shard: 0, fromSequence: n },
      { streamKey: "a", shard: 0, afterTimestamp: 1000 + 2 * n - 1 },
    ]) {
      const start = await seek(file, 640, target);
      expect(start.beaconReads).toBeLessThanOrEqual(bound(beacons));
      const wanted = all.find(({ sequence }) => sequence >= n);
      if (wanted === undefined) continue;
      expect(wanted.startOffset).toBeGreaterThanOrEqual(start.wantedOffset);
      // The step back for header frames is the second interval.
      expect(wanted.startOffset - start.wantedOffset).toBeLessThanOrEqual(640 + 130);
      expect(start.wantedOffset - start.offset).toBeLessThanOrEqual(640);
      expect(readFrom(file, 640, start.offset).map(({ startOffset }) => startOffset)).toContain(wanted.startOffset);
    }
  }
});

test("a time equal to a message's own lies before it is left", async () => {
  const file = encodeFile(
    640,
    Array.from({ length: 100 }, (_, index) => one(index + 1)),
  );
  for (const message of onlyMessages(decodeFile(file))) {
    const start = await seek(file, 640, { streamKey: "a", shard: 0, afterTimestamp: Number(message.timestamp) - 1 });
    expect(start.wantedOffset).toBeLessThanOrEqual(message.startOffset);
  }
});

test("a file without beacons is read from its first message", async () => {
  const file = encodeFile(1024, [one(1)]);
  expect(await seek(file, 1024, { streamKey: "a", shard: 0, fromSequence: 1 })).toEqual({ offset: 128, wantedOffset: 128, beaconReads: 0 });
});

test("an interval with no room for markers is not searched", async () => {
  const file = encodeFile(
    128,
    Array.from({ length: 100 }, (_, index) => one(index + 1)),
  );
  expect(await seek(file, 128, { streamKey: "a", shard: 0, fromSequence: 90 })).toEqual({ offset: 128, wantedOffset: 128, beaconReads: 0 });
});

test("nothing wanted is ever before the start: any streams, rotation and target", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(571, 640, 1024, 2048, 4096),
      fc.integer({ min: 0, max: 400 }),
      fc.boolean(),
      fc.integer({ min: 20, max: 300 }),
      async (streams, interval, n, byTime, payloadBytes) => {
        const sample = messages(300, (index) => (index * 13) % payloadBytes, streams);
        const file = encodeFile(interval, sample);
        const stream = { streamKey: "stream-0", shard: 0 };
        const target: SeekTarget = byTime ? { ...stream, afterTimestamp: 1_700_000_000_000 + n } : { ...stream, fromSequence: n };
        const start = await seek(file, interval, target);
        const isWanted = ({ streamKey, shard, sequence, timestampMs }: DecodedMessage) =>
          streamKey === "stream-0" && shard === 0 && (byTime ? timestampMs > 1_700_000_000_000 + n : sequence >= n);
        const all = onlyMessages(decodeFile(file)).filter(isWanted);
        expect(all.every(({ startOffset }) => startOffset >= start.wantedOffset)).toBe(true);
        expect(
          readFrom(file, interval, start.offset)
            .filter(isWanted)
            .map(({ startOffset }) => startOffset),
        ).toEqual(all.map(({ startOffset }) => startOffset));
      },
    ),
    { numRuns: 300 },
  );
});

test("streams that take turns in the beacons are found near their place", async () => {
  const sample = messages(3000, () => 60, 5);
  const file = encodeFile(640, sample);
  const beacons = Math.floor((file.length - 1) / 640);
  for (let n = 1; n < 3000; n += 97) {
    const start = await seek(file, 640, { streamKey: "stream-1", shard: 3, fromSequence: n });
    const wanted = onlyMessages(decodeFile(file)).find(
      ({ streamKey, shard, sequence }) => streamKey === "stream-1" && shard === 3 && sequence >= n,
    )!;
    // Ten (key, shard) for one marker: its place is known to ten beacons.
    expect(wanted.startOffset - start.wantedOffset).toBeLessThanOrEqual(25 * 640);
    expect(start.beaconReads).toBeLessThanOrEqual((Math.ceil(Math.log2(beacons)) + 3) ** 2);
  }
});

test("a stream that no beacon names costs a bounded number of reads and is read from the start", async () => {
  const file = encodeFile(
    640,
    Array.from({ length: 5000 }, (_, index) => one(index + 1)),
  );
  const start = await seek(file, 640, { streamKey: "other", shard: 0, fromSequence: 1 });
  expect(start.offset).toBe(128);
  expect(start.beaconReads).toBeLessThan(150);
});

test("a stream that begins late in a large file is found with few reads", async () => {
  const early = Array.from({ length: 4000 }, (_, index) => one(index + 1));
  const late = Array.from({ length: 400 }, (_, index) => ({ ...one(index + 1), key: "late" }));
  const file = encodeFile(2048, [...early, ...late]);
  const start = await seek(file, 2048, { streamKey: "late", shard: 0, fromSequence: 350 });
  expect(file.length - start.wantedOffset).toBeLessThan(3 * 2048 + 50 * 70);
  expect(start.beaconReads).toBeLessThanOrEqual(bound(file.length / 2048));
});

test("damaged beacons are passed by", async () => {
  const file = encodeFile(
    640,
    Array.from({ length: 500 }, (_, index) => one(index + 1)),
  );
  for (let offset = 640; offset < file.length; offset += 1280) file[offset] = 0;
  const start = await seek(file, 640, { streamKey: "a", shard: 0, fromSequence: 400 });
  const wanted = onlyMessages(decodeFile(file)).find(({ sequence }) => sequence >= 400)!;
  expect(wanted.startOffset).toBeGreaterThanOrEqual(start.wantedOffset);
  expect(wanted.startOffset - start.wantedOffset).toBeLessThan(4 * 640);
});

test("a header frame before the beacon is not missed, also one longer than an interval", async () => {
  for (const keyBytes of [5, 700, 3000]) {
    const sample = Array.from({ length: 60 }, (_, index) => ({ ...one(index + 1), extras: { key: "k".repeat(keyBytes) } }));
    const file = encodeFile(640, sample);
    for (let n = 1; n <= 60; n++) {
      const start = await seek(file, 640, { streamKey: "a", shard: 0, fromSequence: n });
      const found = readFrom(file, 640, start.offset).find(({ sequence }) => sequence === n)!;
      expect(plain(found)).toEqual(sample[n - 1]);
    }
  }
});
