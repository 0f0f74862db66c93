/** What must show in no text: passwords and tokens, in every spelling in which a client's error may quote them. */

const HIDDEN = "***";
/** How many values of one error are looked at; an error that holds more than that is taken for one that shows a secret. */
const MAX_VALUES = 5000;
const PERCENT_ENCODED = /(?:%[0-9a-f]{2})+/gi;

export class Secrets {
  /** The longest first, so that no piece of one stays behind. */
  readonly #spellings: readonly string[];
  readonly #bytes: readonly Buffer[];

  constructor(secrets: readonly string[]) {
    const given = secrets.filter((secret) => secret !== "");
    this.#spellings = [...new Set(given.flatMap(spellingsOf))].sort((a, b) => b.length - a.length);
    this.#bytes = given.map((secret) => Buffer.from(secret));
  }

  /** The text without them. */
  redact(text: string): string {
    if (!this.#shows(text)) return text;
    const hidden = this.#spellings.reduce((shown, spelling) => shown.replaceAll(spelling, HIDDEN), text);
    return this.#shows(hidden) ? `${HIDDEN} (the text quotes a credential)` : hidden;
  }

  /** An error as it is, if neither it nor anything that it holds shows a secret; else what can be shown of it: its name, text and code. */
  clean(error: unknown): unknown {
    if (!this.#isIn(error)) return error;
    return error instanceof Error ? this.#copyOf(error) : undefined;
  }

  #copyOf(error: Error): Error {
    const copy = new Error(this.redact(String(error.message)));
    Object.defineProperty(copy, "name", { value: this.redact(String(error.name)), configurable: true, writable: true });
    Object.defineProperty(copy, "stack", { value: this.redact(String(error.stack)), configurable: true, writable: true });
    const code: unknown = Reflect.get(error, "code");
    if (typeof code === "number" || (typeof code === "string" && !this.#shows(code))) Object.assign(copy, { code });
    return copy;
  }

  #shows(text: string): boolean {
    if (this.#spellings.some((spelling) => text.includes(spelling))) return true;
    if (this.#spellings.length === 0 || !text.includes("%")) return false;
    const decoded = text.replace(PERCENT_ENCODED, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString());
    return this.#spellings.some((spelling) => decoded.includes(spelling));
  }

  #isIn(value: unknown): boolean {
    if (this.#spellings.length === 0) return false;
    const seen = new Set<unknown>();
    const open: unknown[] = [value];
    try {
      for (let next = open.pop(); next !== undefined || open.length > 0; next = open.pop()) {
        if (typeof next === "string" ? this.#shows(next) : typeof next === "number" && this.#spellings.includes(String(next))) return true;
        if (typeof next !== "object" || next === null || seen.has(next)) continue;
        seen.add(next);
        if (seen.size > MAX_VALUES) return true;
        if (ArrayBuffer.isView(next)) {
          const bytes = Buffer.from(next.buffer, next.byteOffset, next.byteLength);
          if (this.#bytes.some((secret) => bytes.includes(secret))) return true;
          continue;
        }
        if (next instanceof Map) open.push(...next.keys(), ...next.values());
        else if (next instanceof Set) open.push(...next);
        for (const key of Reflect.ownKeys(next)) open.push(key.toString(), Reflect.get(next, key));
      }
      return false;
    } catch {
      // What cannot be looked at is not shown.
      return true;
    }
  }
}

/** As it is, as URLs write it (the platform's own way encodes less than `encodeURIComponent`), as JSON and inspected objects do. */
function spellingsOf(secret: string): string[] {
  const url = new URL("http://h");
  url.password = secret;
  const component = secret.isWellFormed() ? encodeURIComponent(secret) : secret;
  return [secret, component, url.password, JSON.stringify(secret).slice(1, -1)];
}
