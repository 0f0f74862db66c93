/** First step of a send: a value and its options become bytes, key, headers; what is wrong with them is said here. */
import type { Capabilities } from "../driver/capabilities.ts";
import { StreamError } from "../error/stream-error.ts";
import { type Encoder, textOrBytes } from "../message/codec.ts";
import type { HeaderEntries } from "../message/header-entries.ts";
import { CONTENT_TYPE_HEADER, RESERVED_HEADER_PREFIX } from "../message/header-names.ts";
import { headerEntriesOf } from "../message/headers.ts";
import { encodeUtf8 } from "../message/utf8.ts";
import type { SendExtras } from "./pending-send.ts";
import { OWN_HEADERS, type SendOptions } from "./producer-options.ts";

export interface PackerOptions<T> {
  readonly backend: string;
  readonly codec: Encoder<T> | undefined;
  readonly contentType: boolean;
  readonly capabilities: Capabilities;
  /** Checks the options of one send; throws `invalid-option`. */
  checkSend(options: object, isEntry: boolean): void;
}

const encodePlain = textOrBytes().encode;

export class Packer<T> {
  readonly #options: PackerOptions<T>;
  readonly #encode: (value: T) => Uint8Array;
  readonly #ownHeaders: HeaderEntries;
  /** What every message has beside its payload, if anything. */
  readonly ownExtras: SendExtras | undefined;

  constructor(options: PackerOptions<T>) {
    this.#options = options;
    const { codec } = options;
    // Without a codec T is string | Uint8Array, as createProducer says.
    this.#encode = codec === undefined ? (value) => encodePlain(value as string | Uint8Array) : (value) => bytesOf(codec.encode(value));
    const contentType = options.contentType ? options.codec?.contentType : undefined;
    this.#ownHeaders = contentType === undefined ? [] : [[CONTENT_TYPE_HEADER, contentType]];
    if (contentType !== undefined && !options.capabilities.headers) throw this.#unsupported("headers", "contentType needs headers");
    this.ownExtras = contentType === undefined ? undefined : this.#pack({});
  }

  /** The bytes of a value. Throws `encode-failed`, `message-too-large`, or a `TypeError` for a value that needs a codec. */
  payload(value: T, maxBytes: number, streamKey: string): Uint8Array {
    const bytes = this.#bytes(value, streamKey);
    if (bytes.length > maxBytes) {
      const text = `the payload has ${bytes.length} bytes, the limit is ${maxBytes}: send less, or raise maxMessageBytes and the backend's own limit`;
      throw new StreamError("message-too-large", text, { backend: this.#options.backend, streamKey });
    }
    return bytes;
  }

  /** Throws `invalid-option`. An entry is options together with `value` and `streamKey`. */
  check(options: SendOptions, isEntry: boolean): void {
    this.#options.checkSend(options, isEntry);
  }

  /** What an option object adds to a message, or undefined if nothing. */
  extras(options: SendOptions, isEntry: boolean): SendExtras | undefined {
    // The most common entry has nothing to be checked: a value alone.
    let isBare = isEntry && options[OWN_HEADERS] === undefined;
    for (const name in options) isBare &&= name === "value";
    if (isBare) return this.ownExtras;
    this.check(options, isEntry);
    if (options[OWN_HEADERS] !== undefined) return this.#pack(options);
    for (const name in options) {
      if (name !== "value" && name !== "streamKey" && name !== "shard") return this.#pack(options);
    }
    return this.ownExtras;
  }

  #pack(options: SendOptions): SendExtras {
    const { capabilities, backend } = this.#options;
    const { key, headers, timestampMs, messageId } = options;
    if (key !== undefined && typeof key !== "string" && !(key instanceof Uint8Array)) throw new TypeError("key is a text or a Uint8Array");
    if (typeof key === "string" && !key.isWellFormed()) throw new TypeError("key has half of a surrogate pair, which UTF-8 cannot carry");
    if (key !== undefined && !capabilities.keys) throw this.#unsupported("keys", "a key cannot be sent");
    if (messageId !== undefined) {
      if (!capabilities.messageIds) throw this.#unsupported("messageIds", "a messageId cannot be sent");
      if (messageId === "" || !messageId.isWellFormed() || messageId.startsWith(RESERVED_HEADER_PREFIX)) {
        throw new StreamError(
          "invalid-option",
          `messageId is empty, has half of a surrogate pair, or begins with "${RESERVED_HEADER_PREFIX}", which is reserved`,
          { backend },
        );
      }
    }
    if (timestampMs !== undefined && !(Number.isSafeInteger(timestampMs) && timestampMs >= 0)) {
      throw new StreamError("invalid-option", "timestampMs is not a whole number of ms since the epoch", { backend });
    }
    const given = headers === undefined ? undefined : headerEntriesOf(headers);
    const entries = withOwn(withDefaults(given, this.#ownHeaders), options[OWN_HEADERS]);
    if (entries !== undefined && entries.length > 0 && !capabilities.headers) throw this.#unsupported("headers", "headers cannot be sent");
    const keyBytes = typeof key === "string" ? encodeUtf8(key) : key;
    const namespace: unknown = Reflect.get(options, backend);
    return {
      key: keyBytes,
      headers: entries === undefined || entries.length === 0 ? undefined : entries,
      timestampMs,
      messageId,
      options: namespace === undefined ? undefined : (namespace as Readonly<Record<string, unknown>>),
      bytes: (keyBytes?.length ?? 0) + (messageId?.length ?? 0) + headerBytes(entries),
    };
  }

  #bytes(value: T, streamKey: string): Uint8Array {
    try {
      return this.#encode(value);
    } catch (cause) {
      // Without a codec a wrong type is the program's mistake.
      if (this.#options.codec === undefined && cause instanceof TypeError) throw cause;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new StreamError("encode-failed", `the codec refused the value: ${text}`, { cause, backend: this.#options.backend, streamKey });
    }
  }

  #unsupported(ability: string, text: string): StreamError {
    const { backend, capabilities } = this.#options;
    return new StreamError(
      "unsupported",
      `${text} on ${backend}: ${capabilities.reasons?.[ability] ?? "the backend has no place for it"}`,
      { backend },
    );
  }
}

/** A codec of the program's own may give anything. */
function bytesOf(encoded: unknown): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  // Its outcome is nobody's: without this a failure would end the process.
  if (encoded instanceof Promise) encoded.catch(() => undefined);
  throw new TypeError(
    `encode gives a Uint8Array at once, not ${encoded instanceof Promise ? "a promise" : `a value of type ${typeof encoded}`}`,
  );
}

/** `defaults` for the names that `given` has not. */
function withDefaults(given: HeaderEntries | undefined, defaults: HeaderEntries): HeaderEntries | undefined {
  if (defaults.length === 0 || given === undefined) return defaults.length === 0 ? given : defaults;
  return [...given, ...defaults.filter(([name]) => !given.some(([givenName]) => givenName === name))];
}

function withOwn(given: HeaderEntries | undefined, own: HeaderEntries | undefined): HeaderEntries | undefined {
  return own === undefined ? given : given === undefined ? own : [...given, ...own];
}

function headerBytes(entries: HeaderEntries | undefined): number {
  let bytes = 0;
  if (entries !== undefined) for (const [name, value] of entries) bytes += name.length + value.length;
  return bytes;
}
