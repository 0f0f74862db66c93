/** Codecs: a program's values to a message's bytes, and back. */
import type { Headers } from "./headers.ts";
import { describeIssues, type SchemaResult, type StandardSchema } from "./standard-schema.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** What a decoder may look at beside the bytes; every received message is one. */
export interface DecodeContext {
  readonly streamKey: string;
  /** The partition key as text; undefined without one, and where it is not UTF-8. */
  readonly key: string | undefined;
  readonly headers: Headers;
}

/** The half of a {@link Codec} that a producer uses. */
export interface Encoder<in T> {
  /** The media type of the bytes, sent as the header `content-type` if the producer says `contentType: true`. Default: none. */
  readonly contentType?: string | undefined;
  /** The bytes of a value; called once per message, within `send`. What it throws becomes the cause of `encode-failed`. */
  readonly encode: (value: T) => Uint8Array;
}

/** The half of a {@link Codec} that a consumer uses. */
export interface Decoder<out T> {
  /**
   * The value of the bytes, which are a view: what is kept of them long should be copied. Called once per delivery, before the message
   * is handed over; a promise holds up the messages behind it. What it throws or rejects with becomes the cause of `decode-failed`.
   */
  readonly decode: (bytes: Uint8Array, context: DecodeContext) => T | Promise<T>;
}

/** Turns values into bytes and back. `Input` is what is sent where that is not what is received: a schema with defaults, say. */
export interface Codec<T, Input = T> extends Encoder<Input>, Decoder<T> {}

/** Bytes as they are. Anything else is a `TypeError`. */
export function bytes(): Codec<Uint8Array> {
  return {
    contentType: "application/octet-stream",
    encode: (value) => {
      if (value instanceof Uint8Array) return value;
      throw new TypeError(`bytes() takes a Uint8Array, not ${describeType(value)}; for other values use text() or json()`);
    },
    decode: (payload) => payload,
  };
}

/** Text as UTF-8, strictly: half of a surrogate pair is not sent, and bytes that are not UTF-8 are not received. A byte order mark is kept. */
export function text(): Codec<string> {
  return { contentType: "text/plain; charset=utf-8", encode: encodeText, decode: decodeText };
}

/**
 * What a producer without a codec takes: text, sent as UTF-8, or bytes. Anything else is a `TypeError`. What is received is bytes.
 */
export function textOrBytes(): Codec<Uint8Array, string | Uint8Array> {
  return {
    encode: (value) => {
      if (value instanceof Uint8Array) return value;
      if (typeof value === "string") return encodeText(value);
      throw new TypeError(
        `without a codec a message is a string or a Uint8Array, not ${describeType(value)}; for objects use codec: json()`,
      );
    },
    decode: (payload) => payload,
  };
}

/**
 * JSON, checked by a schema of any library that follows Standard Schema, both when sent and when received. What is sent is the value as
 * it was given (the schema's input), what is received is what the schema made of it (its output), so defaults and transformations are
 * applied once, by whoever receives. A schema that validates asynchronously can only receive.
 */
export function json<Input, Output>(schema: StandardSchema<Input, Output>): Codec<Output, Input>;
/** JSON, not checked: the type is what the program says it is. A value that JSON has no text for (`undefined`, a function) is refused. */
export function json<T = unknown>(): Codec<T>;
export function json<Input, Output>(schema?: StandardSchema<Input, Output>): Codec<Output, Input> {
  const contentType = "application/json";
  if (schema === undefined) return { contentType, encode: encodeJson, decode: parseJson<Output> };
  const validate = schema["~standard"].validate;
  return {
    contentType,
    encode: (value) => {
      const result = validate(value);
      if (result instanceof Promise) {
        // Its outcome is nobody's: without this a failure would end the process.
        result.catch(() => undefined);
        throw new Error(
          "this schema validates asynchronously, which encoding cannot wait for; send with json(), receive with json(schema)",
        );
      }
      outputOf(result, "the value does not fit its schema");
      return encodeJson(value);
    },
    decode: (payload) => {
      const result = validate(parseJson(payload));
      return result instanceof Promise ? result.then((late) => outputOf(late, MISFIT)) : outputOf(result, MISFIT);
    },
  };
}

const MISFIT = "the payload does not fit its schema";

function outputOf<Output>(result: SchemaResult<Output>, what: string): Output {
  if (result.issues === undefined) return result.value;
  throw new Error(`${what}: ${describeIssues(result.issues)}`, { cause: result.issues });
}

function encodeText(value: string): Uint8Array {
  if (typeof value !== "string") throw new TypeError(`text() takes a string, not ${describeType(value)}; for objects use json()`);
  if (!value.isWellFormed()) throw new Error("the text has half of a surrogate pair, which UTF-8 cannot carry");
  return encodeUtf8(value);
}

function decodeText(payload: Uint8Array): string {
  const decoded = decodeUtf8(payload);
  if (decoded === undefined) throw new Error("the payload is not UTF-8");
  return decoded;
}

function encodeJson(value: unknown): Uint8Array {
  const encoded: string | undefined = JSON.stringify(value);
  if (encoded === undefined) throw new TypeError(`JSON has no text for ${describeType(value)}`);
  return encodeUtf8(encoded);
}

function parseJson<T>(payload: Uint8Array): T {
  return JSON.parse(decodeText(payload));
}

function describeType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return value === undefined ? "undefined" : `a value of type ${typeof value}`;
}
