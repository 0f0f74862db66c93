import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeHeaderPayload,
  encodeHeaderPayload,
  hasExtras,
  isHeaderFrameFor,
  isHeaderPayload,
  type MessageExtras,
} from "./header-frame.ts";

const target = { streamKey: "orders", timestamp: 1_700_000_000_000, checksum: 0x4c06 };
const encode = (extras: MessageExtras) => encodeHeaderPayload(target, extras);
const text = (extras: MessageExtras) => Buffer.from(encode(extras)).toString();

test("a frame is HDR and JSON with its members in order, absent ones left out", () => {
  expect(text({ headers: [["a", "1"]], messageId: "m-1", key: "k" })).toBe(
    'HDR{"s":"orders","t":1700000000000,"c":19462,"k":"k","i":"m-1","h":[["a","1"]]}',
  );
  expect(text({ messageId: "" })).toBe('HDR{"s":"orders","t":1700000000000,"c":19462,"i":""}');
});

test("bytes that are UTF-8 are written as text, others as base64", () => {
  expect(text({ key: Buffer.from("é") })).toContain('"k":"é"');
  expect(text({ key: Uint8Array.of(0xff, 0) })).toContain('"k":{"b64":"/wA="}');
  expect(text({ headers: [["h", Uint8Array.of(0xc3)]] })).toContain('"h":[["h",{"b64":"ww=="}]]');
});

test("a byte order mark in bytes is kept", () => {
  const decoded = decodeHeaderPayload(encode({ key: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61) }));
  expect(decoded?.extras).toEqual({ key: "\ufeffa" });
});

test("extras come back as they were given", () => {
  const bytes = fc.uint8Array({ maxLength: 20 });
  const value = fc.oneof(fc.string({ unit: "binary" }), bytes);
  const extras = fc.record(
    { key: value, messageId: fc.string({ unit: "binary" }), headers: fc.array(fc.tuple(fc.string(), value), { minLength: 1 }) },
    { requiredKeys: [] },
  );
  const asBytes = (given: string | Uint8Array) => Buffer.from(given as string).toString("hex");
  fc.assert(
    fc.property(extras, (given) => {
      const decoded = decodeHeaderPayload(encode(given));
      expect(decoded).toMatchObject(target);
      expect(decoded?.extras.key === undefined).toBe(given.key === undefined);
      if (given.key !== undefined) expect(asBytes(decoded!.extras.key!)).toBe(asBytes(given.key));
      expect(decoded?.extras.messageId).toBe(given.messageId);
      expect(decoded?.extras.headers?.map(([name, header]) => [name, asBytes(header)])).toEqual(
        given.headers?.map(([name, header]) => [name, asBytes(header)]),
      );
    }),
  );
});

test("without key, id and headers there is nothing to carry", () => {
  expect(hasExtras({})).toBe(false);
  expect(hasExtras({ headers: [] })).toBe(false);
  expect(hasExtras({ key: "" })).toBe(true);
});

test.each([
  "",
  "{",
  "[]",
  "null",
  "1",
  "{}",
  '{"s":"a","t":1}',
  '{"s":"a","t":"1","c":2}',
  '{"s":"a","t":1,"c":2,"k":7}',
  '{"s":"a","t":1,"c":2,"h":[["a"]]}',
  '{"s":"a","t":1,"c":2,"i":{"b64":""}}',
])("HDR%s is no header frame", (json) => {
  expect(decodeHeaderPayload(Buffer.from(`HDR${json}`))).toBeUndefined();
});

test("arbitrary bytes behind HDR never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(() => decodeHeaderPayload(Buffer.concat([Buffer.from("HDR"), bytes]))).not.toThrow();
    }),
  );
});

test("a frame belongs only to the message whose key, time and checksum it names", () => {
  expect(isHeaderFrameFor(target, { ...target })).toBe(true);
  expect(isHeaderFrameFor(target, { ...target, streamKey: "order" })).toBe(false);
  expect(isHeaderFrameFor(target, { ...target, timestamp: 1 })).toBe(false);
  expect(isHeaderFrameFor(target, { ...target, checksum: 1 })).toBe(false);
});

test("a time above 2^53 still matches", () => {
  const late = { ...target, timestamp: 2n ** 64n - 3n };
  const frame = decodeHeaderPayload(encodeHeaderPayload(late, { key: "k" }));
  expect(isHeaderFrameFor(frame!, late)).toBe(true);
});

test("HDR is told from other payloads", () => {
  expect(isHeaderPayload(Buffer.from("xHDR{"), 1, 4)).toBe(true);
  expect(isHeaderPayload(Buffer.from("EOS"), 0, 3)).toBe(false);
});
