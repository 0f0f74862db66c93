import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeFile,
  encodeFile,
  hex,
  messages,
  onlyMessages,
  onlyProblems,
  plain,
  type SampleMessage,
} from "../../test/fixtures/sample-files.ts";
import type { SsItem } from "./decoder-item.ts";
import { SsDecoder } from "./ss-decoder.ts";

const INTERVAL = 640;
const sample = messages(24, (index) => 20 + ((index * 61) % 200), 2);
const file = encodeFile(INTERVAL, sample);
const intact = onlyMessages(decodeFile(file)).map((message) => ({
  start: message.startOffset,
  end: message.endOffset,
  sequence: message.sequence,
  payload: hex(message.payload),
}));

function flipped(at: number, bit: number): Uint8Array {
  const bytes = Uint8Array.from(file);
  bytes[at] = bytes[at]! ^ (1 << bit);
  return bytes;
}

const damaged = (item: SsItem) => (item.kind === "problem" ? `${item.code} ${item.startOffset}-${item.endOffset}` : item.kind);

test("a payload with a wrong checksum is an error for that message alone", () => {
  const third = intact[2]!;
  const items = decodeFile(flipped(third.end - 10, 3));
  expect(onlyMessages(items)).toHaveLength(sample.length - 1);
  expect(items[2]).toMatchObject({ code: "bad-checksum", startOffset: third.start, endOffset: third.end, message: { sequence: 3 } });
});

test("a wrong last byte of a message is not looked at", () => {
  expect(onlyMessages(decodeFile(flipped(intact[0]!.end - 1, 5)))).toHaveLength(sample.length);
});

test("a payload length above the limit is passed over to the next beacon and what remains there, and the bytes are told", () => {
  const first = intact[0]!;
  const items = decodeFile(flipped(first.start + 9 + 8 + 16, 6));
  const next = intact.find(({ start }) => start > INTERVAL)!;
  expect(items[0]).toMatchObject({ code: "skipped", startOffset: first.start, endOffset: next.start });
  expect(onlyMessages(items)[0]?.startOffset).toBe(next.start);
  expect(onlyProblems(items)).toHaveLength(1);
});

test("a size that grew by a bit is found out at the next beacon, not at the end of what it claims", () => {
  const first = intact[0]!;
  // 64 KiB more than there is in the whole file.
  const items = decodeFile(flipped(first.start + 9 + 8 + 17, 0));
  const next = intact.find(({ start }) => start > INTERVAL)!;
  expect(items.slice(0, 2).map(damaged)).toEqual([`skipped ${first.start}-${next.start}`, "message"]);
});

test("without a beacon behind the damage the loss is told up to the end, once nothing more can come", () => {
  const decoder = new SsDecoder(1024);
  const small = encodeFile(
    1024,
    messages(2, () => 10),
  );
  small[128] = 0;
  decoder.push(small.subarray(128));
  expect(decoder.next()).toBeUndefined();
  expect(decoder.lostSince).toBe(128);
  decoder.finish();
  expect(decoder.next()).toMatchObject({ code: "skipped", startOffset: 128, endOffset: small.length });
  expect(decoder.next()).toBeUndefined();
  expect(decoder.wholeEnd).toBe(128);
});

test("a beacon that says another remainder than sound messages is told and otherwise ignored", () => {
  for (let bit = 0; bit < 32; bit++) {
    const items = decodeFile(flipped(INTERVAL + 4 - (bit >> 3), bit & 7));
    expect(onlyMessages(items)).toHaveLength(sample.length);
    expect(onlyProblems(items)).toMatchObject([{ code: "bad-beacon", startOffset: INTERVAL }]);
  }
});

test("a bit flipped anywhere loses no message but those touched, or those up to where the next sound beacon is trusted", () => {
  for (let at = 128; at < file.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const items = decodeFile(flipped(at, bit));
      const problems = onlyProblems(items);
      const got = new Map(onlyMessages(items).map((message) => [message.startOffset, message]));
      for (const message of intact) {
        const isTouched = at >= message.start && at < message.end;
        const isSkipped = problems.some((problem) => problem.startOffset < message.end && problem.endOffset > message.start);
        if (isTouched || isSkipped) continue;
        const found = got.get(message.start);
        // Compared before `expect`, which would take minutes for each message of each of these files.
        if (found?.sequence === message.sequence && hex(found.payload) === message.payload) continue;
        expect.fail(`bit ${bit} of byte ${at} lost message ${message.sequence}`);
      }
      // Damage never reaches further than the beacon after the next one and the message that it splits.
      const reach = intact.find(({ start }) => start >= (Math.floor(at / INTERVAL) + 2) * INTERVAL)?.start ?? file.length;
      for (const problem of problems) {
        expect(problem.endOffset, `bit ${bit} of byte ${at}: ${problem.reason}`).toBeLessThanOrEqual(reach);
        expect(problem.startOffset).toBeLessThanOrEqual(at);
      }
    }
  }
});

test("items of a damaged file are the same however it is cut into chunks", () => {
  fc.assert(
    fc.property(fc.integer({ min: 128, max: file.length - 1 }), fc.nat(7), fc.integer({ min: 1, max: 700 }), (at, bit, chunkBytes) => {
      const bytes = flipped(at, bit);
      expect(decodeFile(bytes, { beacons: true }, [chunkBytes]).map(damaged)).toEqual(decodeFile(bytes, { beacons: true }).map(damaged));
    }),
    { numRuns: 500 },
  );
});

test("bytes missing or added in the middle cost at most up to the second beacon after them being told", () => {
  fc.assert(
    fc.property(fc.integer({ min: 128, max: file.length - 1 }), fc.uint8Array({ minLength: 1, maxLength: 40 }), (at, stray) => {
      // Overwritten, so that beacons keep their place.
      const bytes = Uint8Array.from(file);
      bytes.set(stray.subarray(0, file.length - at), at);
      const end = at + stray.length;
      const from = (Math.floor(end / INTERVAL) + 2) * INTERVAL;
      const got = onlyMessages(decodeFile(bytes)).map(({ startOffset, payload }) => [startOffset, hex(payload)]);
      for (const { start, payload } of intact) if (start >= from) expect(got).toContainEqual([start, payload]);
    }),
    { numRuns: 500 },
  );
});

test("arbitrary bytes never crash nor hang, and every byte of them is accounted for", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    // Noise with real frames in it, and with real beacons in the wrong place.
    fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(file.length), fc.nat(file.length))
      .map(([bytes, from, to]) => Uint8Array.from([...bytes, ...file.subarray(Math.min(from, to), Math.max(from, to))])),
  );
  fc.assert(
    fc.property(noise, fc.constantFrom(128, 571, 640, 4096), fc.integer({ min: 1, max: 1000 }), (bytes, interval, chunkBytes) => {
      const decoder = new SsDecoder(interval, { beacons: true });
      const items: SsItem[] = [];
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        decoder.push(Uint8Array.from(bytes.subarray(at, at + chunkBytes)));
        while (decoder.pull(items, 7) > 0);
      }
      decoder.finish();
      while (decoder.pull(items, 7) > 0);
      expect(items.length).toBeLessThanOrEqual(bytes.length);
      expect(decoder.wholeEnd).toBeLessThanOrEqual(128 + bytes.length);
      for (const item of items) expect(item.endOffset).toBeGreaterThan(item.startOffset);
    }),
    { numRuns: 1000 },
  );
});

test("a claimed size takes no memory before its bytes come", () => {
  const [one] = messages(1, () => 10) as [SampleMessage];
  const bytes = encodeFile(2 ** 30, [one]);
  bytes.set([0x3f, 0xff, 0xff, 0xff], 128 + 9 + 8 + 16);
  const decoder = new SsDecoder(2 ** 30);
  const before = process.memoryUsage().arrayBuffers;
  decoder.push(bytes.subarray(128));
  for (let i = 0; i < 1000; i++) {
    decoder.push(new Uint8Array(100));
    expect(decoder.next()).toBeUndefined();
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
});

test("a huge message in many small chunks is put together in linear time", () => {
  const [one] = messages(1, () => 4_000_000) as [SampleMessage];
  const huge = encodeFile(1024, [one]);
  const started = performance.now();
  expect(onlyMessages(decodeFile(huge, {}, [100])).map((message) => plain(message).payload.length)).toEqual([4_000_000]);
  expect(performance.now() - started).toBeLessThan(5000);
});

test("a message above the configured limit is passed over exactly when beacons lie in it", () => {
  const big = encodeFile(INTERVAL, [sample[0]!, { ...sample[1]!, payload: new Uint8Array(5000) }, sample[2]!]);
  const items = decodeFile(big, { maxPayloadBytes: 1000 });
  expect(items.map((item) => item.kind)).toEqual(["message", "problem", "message"]);
  expect(onlyProblems(items)[0]?.reason).toMatch(/5000 bytes is claimed, above the limit of 1000/);
});
