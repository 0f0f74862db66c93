/**
 * How drivers write headers where their backend carries less than Seaway promises: behind a marker in a line of text, or as JSON.
 *
 * ```text
 * line   value                      where the backend carries it as it is
 *        "seaway-b64:" base64       else; also for a value that itself begins with the marker
 * JSON   [["name","value"], …]      a value that is not UTF-8: {"b64":"…"}
 * ```
 */
import type { HeaderEntries, HeaderValue } from "./header-entries.ts";
import { headerValueOf } from "./headers.ts";
import { encodeUtf8 } from "./utf8.ts";

/** What an encoded value begins with. */
export const BASE64_MARKER = "seaway-b64:";

/** Whether a header line carries a text unchanged: no line break or NUL in it, no white space around it. */
export function isOneTrimmedLine(text: string): boolean {
  return !/[\r\n\0]/.test(text) && text === text.trim();
}

/**
 * A value as text that the backend carries unchanged: the value itself, or base64 behind the marker.
 *
 * @param carries whether the backend carries a text unchanged; default {@link isOneTrimmedLine}
 */
export function encodeHeaderValue(value: HeaderValue, carries: (text: string) => boolean = isOneTrimmedLine): string {
  if (typeof value === "string" && !value.startsWith(BASE64_MARKER) && carries(value)) return value;
  return BASE64_MARKER + base64Of(typeof value === "string" ? encodeUtf8(value) : value);
}

/** Undoes {@link encodeHeaderValue}. What follows the marker but is not base64 was written by someone else, and is taken as it is. */
export function decodeHeaderValue(text: string): HeaderValue {
  if (!text.startsWith(BASE64_MARKER)) return text;
  const bytes = bytesOfBase64(text.slice(BASE64_MARKER.length));
  return bytes === undefined ? text : headerValueOf(bytes);
}

/** Bytes in JSON: text where they are UTF-8, else base64. */
export type BytesJson = string | { readonly b64: string };

/** Headers in JSON. */
export type HeadersJson = readonly (readonly [name: string, value: BytesJson])[];

/** Bytes, or a header's value, in JSON. */
export function bytesToJson(value: HeaderValue): BytesJson {
  const known = typeof value === "string" ? value : headerValueOf(value);
  return typeof known === "string" ? known : { b64: base64Of(known) };
}

/**
 * Undoes {@link bytesToJson}; text where the bytes are UTF-8, however they were written.
 *
 * @throws {Error} if it is neither
 */
export function bytesFromJson(json: unknown): HeaderValue {
  if (typeof json === "string") return json;
  const encoded: unknown = typeof json === "object" && json !== null && "b64" in json ? json.b64 : undefined;
  const bytes = typeof encoded === "string" ? bytesOfBase64(encoded) : undefined;
  if (bytes === undefined) throw new Error('a value is neither text nor {"b64": base64}');
  return headerValueOf(bytes);
}

/** Headers as JSON values, for `JSON.stringify` alone or as a part of a larger frame. */
export function headersToJson(entries: HeaderEntries): HeadersJson {
  return entries.map(([name, value]) => [name, bytesToJson(value)]);
}

/**
 * Undoes {@link headersToJson}. Names are not checked: what was stored is shown.
 *
 * @throws {Error} if it is not of that form
 */
export function headersFromJson(json: unknown): HeaderEntries {
  if (!Array.isArray(json)) throw new Error("headers are not a list");
  return json.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") throw new Error("a header is not a name and a value");
    return [pair[0], bytesFromJson(pair[1])] as const;
  });
}

/** An error's text for a header: one line of at most `maxBytes` bytes (default 1024) in UTF-8, cut with `…`. */
export function oneLine(text: string, maxBytes = 1024): string {
  // A text of megabytes is not worth normalising: only its beginning can stay.
  const line = text
    .slice(0, maxBytes * 8)
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  const bytes = encodeUtf8(line);
  if (bytes.length <= maxBytes) return line;
  const ellipsis = maxBytes >= 3 ? "…" : "";
  let end = maxBytes - encodeUtf8(ellipsis).length;
  // Not within a character: its further bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end)) + ellipsis;
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function bytesOfBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  const buffer = Buffer.from(text, "base64");
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
