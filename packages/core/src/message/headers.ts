/** A message's headers: as a program gives them, and as it reads them. */
import { showInInspect } from "../observe/custom-inspect.ts";
import type { HeaderEntries, HeaderValue } from "./header-entries.ts";
import { RESERVED_HEADER_PREFIX } from "./header-names.ts";
import { decodeUtf8 } from "./utf8.ts";

/** 1–256 visible ASCII characters without a colon. */
const HEADER_NAME = /^[!-9;-~]{1,256}$/;

/**
 * Headers as a program sends them: a name with one value or several, in the order of the object's properties. Names are 1–256 visible
 * ASCII characters without `:`, case-sensitive; those that begin with `seaway-` are reserved. A value that is undefined is left out.
 *
 * The {@link Headers} of a received message can be handed on as they are; what `seaway-` headers it has tell of that message's own way
 * and stay behind.
 */
export type HeadersInput = Headers | Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>;

/**
 * A message's headers, to be read: a multi-map, in the order in which they were sent. Names are case-sensitive. A value is text, or
 * bytes where these are not valid UTF-8: what was sent as bytes that spell a text is read as that text.
 */
export class Headers {
  static {
    showInInspect(Headers.prototype, function (_depth, options, inspect) {
      return `Headers ${inspect(this.entries, options)}`;
    });
  }

  /** No headers. */
  static readonly EMPTY: Headers = new Headers([]);

  readonly #entries: HeaderEntries;

  /** Over entries as a driver gives them; they are not copied. */
  constructor(entries: HeaderEntries) {
    this.#entries = entries;
  }

  /** All of them in the plain form that drivers take; not a copy. */
  get entries(): HeaderEntries {
    return this.#entries;
  }

  /** How many values there are; a name that stands twice counts twice. */
  get size(): number {
    return this.#entries.length;
  }

  /** The first value of a name. */
  get(name: string): HeaderValue | undefined {
    for (const entry of this.#entries) if (entry[0] === name) return entry[1];
    return undefined;
  }

  /** All values of a name, in order. */
  getAll(name: string): readonly HeaderValue[] {
    const values: HeaderValue[] = [];
    for (const entry of this.#entries) if (entry[0] === name) values.push(entry[1]);
    return values;
  }

  has(name: string): boolean {
    return this.#entries.some((entry) => entry[0] === name);
  }

  /** `[name, value]` in order; a name that stands twice comes twice. */
  [Symbol.iterator](): IterableIterator<readonly [name: string, value: HeaderValue]> {
    return this.#entries[Symbol.iterator]();
  }
}

/**
 * Checks what a program gave and brings it into the plain form that drivers take. Seaway's own headers are added to the result, never
 * to what is given here.
 *
 * @throws {TypeError} for a name or a value that cannot be one, and for a reserved name
 */
export function headerEntriesOf(input: HeadersInput): HeaderEntries {
  if (input instanceof Headers) return input.entries.filter(([name]) => !name.startsWith(RESERVED_HEADER_PREFIX));
  if (typeof input !== "object" || input === null || Symbol.iterator in input) {
    throw new TypeError('headers are an object of names and values, such as { "content-type": "text/csv" }');
  }
  const entries: [string, HeaderValue][] = [];
  for (const [name, given] of Object.entries(input)) {
    if (given === undefined) continue;
    assertHeaderName(name);
    if (Array.isArray(given)) for (const value of given) entries.push([name, checkedValue(name, value)]);
    else entries.push([name, checkedValue(name, given)]);
  }
  return entries;
}

/** A value as its bytes: text where they are valid UTF-8. For drivers whose backend has bytes for values. */
export function headerValueOf(bytes: Uint8Array): HeaderValue {
  return decodeUtf8(bytes) ?? bytes;
}

function assertHeaderName(name: string): void {
  if (!HEADER_NAME.test(name)) {
    throw new TypeError(
      `${JSON.stringify(name.slice(0, 80))} cannot be a header's name: that is 1 to 256 visible ASCII characters without ":"`,
    );
  }
  if (name.startsWith(RESERVED_HEADER_PREFIX)) {
    throw new TypeError(`the header "${name}" cannot be sent: names that begin with ${RESERVED_HEADER_PREFIX} are Seaway's own`);
  }
}

function checkedValue(name: string, value: unknown): HeaderValue {
  if (typeof value === "string") {
    if (value.isWellFormed()) return value;
    throw new TypeError(`a value of the header "${name}" has half of a surrogate pair, which no encoding carries`);
  }
  if (value instanceof Uint8Array) return headerValueOf(value);
  throw new TypeError(
    `a value of the header "${name}" is text or bytes (a list of them for several values), not ${value === null ? null : typeof value}`,
  );
}
