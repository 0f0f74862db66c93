import { expect, test } from "vitest";
import { hex } from "../../test/fixtures/sample-files.ts";
import { compareStreamIds, createStreamId, decodeStreamId } from "./stream-id.ts";
import { StreamIdTable } from "./stream-id-table.ts";

test("a prefix is the key's length, the key and the shard", () => {
  expect(hex(createStreamId("hello", 1).prefix)).toBe("0568656c6c6f0000000000000001");
});

test("key and shard come back from the prefix", () => {
  const { prefix } = createStreamId("a.B-c_9", 2 ** 53 - 1);
  expect(decodeStreamId(prefix, 0)).toMatchObject({ key: "a.B-c_9", shard: 2 ** 53 - 1 });
});

test.each(["", "a b", "é", "x".repeat(250), "a/b"])("the key %j is refused", (key) => {
  expect(() => createStreamId(key, 0)).toThrow(/^invalid-option: /);
});

test.each([-1, 0.5, 2 ** 53])("the shard %s is refused", (shard) => {
  expect(() => createStreamId("a", shard)).toThrow(/^invalid-option: /);
});

test("bytes that are no key, or a shard above 2^53 − 1, are no stream", () => {
  const broken = (at: number, byte: number) => {
    const prefix = Uint8Array.from(createStreamId("hello", 0).prefix);
    prefix[at] = byte;
    return decodeStreamId(prefix, 0);
  };
  expect(broken(0, 0)).toBeUndefined();
  expect(broken(0, 250)).toBeUndefined();
  expect(broken(2, 0x20)).toBeUndefined();
  expect(broken(6, 0x20)).toBeUndefined();
  expect(broken(7, 0x20)).toBeUndefined();
});

test("streams sort by key, then by shard as a number", () => {
  const sorted = [createStreamId("a", 2), createStreamId("a", 10), createStreamId("a.b", 0), createStreamId("ab", 0)];
  expect([...sorted].reverse().sort(compareStreamIds)).toEqual(sorted);
});

test("the table gives one object per stream, also for streams that share a slot", () => {
  const table = new StreamIdTable();
  const ids = Array.from({ length: 5000 }, (_, index) => createStreamId(`k${index}`, index % 3));
  const first = ids.map((id) => table.find(id.prefix, 0));
  expect(ids.map((id) => table.find(id.prefix, 0))).toEqual(first);
  expect(first.every((id, index) => id?.key === `k${index}` && id === table.find(ids[index]!.prefix, 0))).toBe(true);
});
