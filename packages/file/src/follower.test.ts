import type { StreamerEvent } from "@seaway/core/driver";
import { expect, test } from "vitest";
import { decodeFile, encodeFile, messages, onlyMessages } from "../test/fixtures/sample-files.ts";
import type { FileReader } from "./file-reader.ts";
import { Follower } from "./follower.ts";
import { decodeFileHeader } from "./format/file-header.ts";
import { FileMessage } from "./message.ts";

/** A file in memory, whose reads can be made to see what was there before. */
class FakeReader {
  readonly path = "fake.ss";
  readonly header;
  file: Uint8Array;
  /** Stands for a read that came before the file was changed: given once for the read at this offset. */
  stale: { readonly at: number; readonly bytes: Uint8Array } | undefined;
  isReplaced = false;

  constructor(file: Uint8Array) {
    this.file = file;
    this.header = decodeFileHeader(file);
  }
  readonly read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (this.stale?.at === offset) {
      const { bytes } = this.stale;
      this.stale = undefined;
      return Uint8Array.from(bytes);
    }
    return Uint8Array.from(this.file.subarray(offset, offset + length));
  };
  async sizeNow(): Promise<{ size: number }> {
    return { size: this.file.length };
  }
  async isSame(): Promise<boolean> {
    return !this.isReplaced;
  }
}

function follow(reader: FakeReader, knownSize = () => 0): { follower: Follower; events: StreamerEvent[] } {
  const events: StreamerEvent[] = [];
  const options = { knownSize, publish: (event: StreamerEvent) => void events.push(event), endAt: undefined };
  return { follower: new Follower(reader as unknown as FileReader, { offset: 128, isBeacon: false }, options), events };
}

/** Sequences of the messages, and the codes of what is damaged, until there is no more. */
async function drain(follower: Follower): Promise<(bigint | string)[]> {
  const found: (bigint | string)[] = [];
  let news = true;
  for (;;) {
    for (let item = follower.next(); item !== undefined; item = follower.next()) {
      found.push(item instanceof FileMessage ? item.sequence : item.problem.code);
    }
    if (!(await follower.fill(news))) return found;
    news = false;
  }
}

test("half a message from before a cut, joined with what was written after it, is no damage: a second look shows the message", async () => {
  const before = encodeFile(
    4096,
    messages(3, () => 50),
  );
  const after = encodeFile(4096, [...messages(2, () => 50), { ...messages(3, () => 50)[2], payload: Buffer.alloc(80, 1) } as never]);
  const [, second] = onlyMessages(decodeFile(before));
  const cut = (second?.endOffset ?? 0) + 60;
  const reader = new FakeReader(after);
  reader.stale = { at: 128, bytes: before.subarray(128, cut) };
  const { follower, events } = follow(reader);
  expect(await drain(follower)).toEqual([1n, 2n, 3n]);
  expect(events).toEqual([]);
});

test("real damage is told once, with its bytes, however often the end of the file is come to", async () => {
  const file = Uint8Array.from(
    encodeFile(
      4096,
      messages(5, () => 50),
    ),
  );
  const third = onlyMessages(decodeFile(file))[2];
  file[(third?.endOffset ?? 0) - 10] = 0xff;
  const reader = new FakeReader(file);
  const { follower } = follow(reader);
  expect(await drain(follower)).toEqual([1n, 2n, "bad-checksum", 4n, 5n]);
  for (let round = 0; round < 3; round++) expect(await drain(follower)).toEqual([]);
});

test("damage next to damage, at the start and before a beacon, is each told once", async () => {
  const file = Uint8Array.from(
    encodeFile(
      1024,
      messages(60, () => 50),
    ),
  );
  const all = onlyMessages(decodeFile(file));
  for (const index of [0, 1, 11, 12, 30, 59]) file[(all[index]?.endOffset ?? 0) - 10] = 0xff;
  const found = await drain(follow(new FakeReader(file)).follower);
  expect(found.filter((item) => item === "bad-checksum").length).toBe(6);
  expect(found.filter((item) => typeof item === "bigint").length).toBe(54);
});

test("random damage neither hangs a follower nor repeats a message, and what the decoder finds is what it gives", async () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return seed % below;
  };
  for (let round = 0; round < 60; round++) {
    const file = Uint8Array.from(
      encodeFile(
        1024,
        messages(80, (index) => 20 + ((index * 13) % 90), 3),
      ),
    );
    for (let count = 1 + random(6); count > 0; count--) file[128 + random(file.length - 128)] = random(256);
    const expected = decodeFile(file).flatMap((item) => (item.kind === "message" ? [item.startOffset] : []));
    const { follower } = follow(new FakeReader(file));
    const found: number[] = [];
    for (let more = true; more; more = await follower.fill(false)) {
      for (let item = follower.next(); item !== undefined; item = follower.next()) {
        if (item instanceof FileMessage) found.push(item.startOffset);
      }
    }
    expect(new Set(found).size).toBe(found.length);
    // At the very end the decoder may be told that nothing follows; a follower goes on hoping.
    expect(expected.slice(0, found.length)).toEqual(found);
  }
});

test("the next chunk is read while one is looked through", async () => {
  const file = encodeFile(
    1024 * 1024,
    messages(40, () => 50_000),
  );
  const reader = new FakeReader(file);
  const offsets: number[] = [];
  const { read } = reader;
  Object.assign(reader, {
    read: (offset: number, length: number) => {
      offsets.push(offset);
      return read(offset, length);
    },
  });
  const { follower } = follow(reader, () => file.length);
  expect(await follower.fill(true)).toBe(true);
  expect(offsets.length).toBe(2);
  expect((await drain(follower)).length).toBe(40);
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(new Set(offsets).size).toBe(offsets.length);
});

test("a file that was written anew in place is not read on", async () => {
  const file = Uint8Array.from(
    encodeFile(
      1024,
      messages(3, () => 50),
    ),
  );
  file[200] = 0xff;
  const reader = new FakeReader(file);
  reader.isReplaced = true;
  await expect(drain(follow(reader).follower)).rejects.toThrow(/replaced/);
});
