/**
 * Our extension: an internal message right before a message, which carries its key, id and headers.
 *
 * ```
 * key SEA_STREAMER_INTERNAL, shard, sequence and timestamp of the message itself, payload:
 * "HDR" {"s":stream key,"t":timestamp ms,"c":payload checksum,"k":key,"i":message id,"h":[[name,value],…]}
 * ```
 * Bytes that are not UTF-8 stand as `{"b64":"…"}` in place of the string.
 */

import type { U64 } from "./big-endian.ts";

/** What version 1 has no room for in a message. Bytes that are UTF-8 come back as a string. */
export interface MessageExtras {
  readonly key?: string | Uint8Array;
  readonly messageId?: string;
  readonly headers?: readonly (readonly [name: string, value: string | Uint8Array])[];
}

/** The message a header frame belongs to. */
export interface HeaderTarget {
  readonly streamKey: string;
  readonly timestamp: U64;
  /** Checksum of that message's payload. */
  readonly checksum: number;
}

export interface HeaderFrame extends HeaderTarget {
  readonly extras: MessageExtras;
}

type JsonText = string | { readonly b64: string };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether there is anything to carry; without, no frame is written. */
export function hasExtras(extras: MessageExtras): boolean {
  return extras.key !== undefined || extras.messageId !== undefined || (extras.headers !== undefined && extras.headers.length > 0);
}

/** The payload of the frame that goes before `target`. */
export function encodeHeaderPayload(target: HeaderTarget, extras: MessageExtras): Uint8Array {
  const { key, messageId, headers } = extras;
  const json = JSON.stringify({
    s: target.streamKey,
    // Above 2^53 the nearest number: both sides of the match round alike.
    t: Number(target.timestamp),
    c: target.checksum,
    k: key === undefined ? undefined : toJsonText(key),
    i: messageId,
    h: headers === undefined || headers.length === 0 ? undefined : headers.map(([name, value]) => [name, toJsonText(value)]),
  });
  return Buffer.from(`HDR${json}`, "utf8");
}

export function isHeaderPayload(bytes: Uint8Array, at: number, length: number): boolean {
  return length > 3 && bytes[at] === 0x48 && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x52;
}

/** Reads a payload that begins with `HDR`; undefined if what follows is not such a frame's JSON. */
export function decodeHeaderPayload(payload: Uint8Array): HeaderFrame | undefined {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(payload.subarray(3)));
  } catch {
    return undefined;
  }
  if (!isRecord(json)) return undefined;
  const { s, t, c, k, i, h } = json;
  if (typeof s !== "string" || typeof t !== "number" || typeof c !== "number") return undefined;
  const key = k === undefined ? undefined : fromJsonText(k);
  const headers = h === undefined ? undefined : decodeHeaders(h);
  if ((k !== undefined && key === undefined) || (h !== undefined && headers === undefined)) return undefined;
  if (i !== undefined && typeof i !== "string") return undefined;
  return {
    streamKey: s,
    timestamp: t,
    checksum: c,
    extras: {
      ...(key === undefined ? {} : { key }),
      ...(i === undefined ? {} : { messageId: i }),
      ...(headers === undefined ? {} : { headers }),
    },
  };
}

/** Whether the frame was written for this message; its shard and sequence are those of the frame's own head and compared there. */
export function isHeaderFrameFor(frame: HeaderTarget, message: HeaderTarget): boolean {
  return (
    frame.streamKey === message.streamKey && frame.checksum === message.checksum && Number(frame.timestamp) === Number(message.timestamp)
  );
}

function decodeHeaders(json: unknown): [string, string | Uint8Array][] | undefined {
  if (!Array.isArray(json)) return undefined;
  const headers: [string, string | Uint8Array][] = [];
  for (const entry of json as unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) return undefined;
    const [name, jsonValue] = entry as [unknown, unknown];
    const value = fromJsonText(jsonValue);
    if (typeof name !== "string" || value === undefined) return undefined;
    headers.push([name, value]);
  }
  return headers;
}

function toJsonText(value: string | Uint8Array): JsonText {
  if (typeof value === "string") return value;
  try {
    return utf8.decode(value);
  } catch {
    return { b64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
}

function fromJsonText(json: unknown): string | Uint8Array | undefined {
  if (typeof json === "string") return json;
  return isRecord(json) && typeof json.b64 === "string" ? new Uint8Array(Buffer.from(json.b64, "base64")) : undefined;
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
