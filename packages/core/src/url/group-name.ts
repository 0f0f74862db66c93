/** The names of groups and consumers, and how a driver writes one in a backend that allows fewer characters. */
import { StreamError } from "../error/stream-error.ts";

/** The longest group or consumer name, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 200;

const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Throws unless `name` can name a group or a consumer: 1 to 200 characters, none of them a control character or half of a
 * surrogate pair. The name itself is never shown.
 *
 * @param what what it names, for the error's text: `"group"`, `"consumerName"`
 * @throws {StreamError} `invalid-option`
 */
export function assertGroupName(name: unknown, what: string): asserts name is string {
  const fault = faultOf(name);
  if (fault === undefined) return;
  throw new StreamError("invalid-option", `${what} ${fault}; it is 1 to ${MAX_NAME_LENGTH} characters without control characters`, {
    phase: "setup",
  });
}

function faultOf(name: unknown): string | undefined {
  if (typeof name !== "string") return `must be a text, not ${name === null ? "null" : `of type ${typeof name}`}`;
  if (name === "") return "is empty";
  if (name.length > MAX_NAME_LENGTH) return `has ${name.length} characters`;
  if (CONTROL_CHARACTER.test(name)) return "has a control character";
  if (!name.isWellFormed()) return "has half of a surrogate pair";
  return undefined;
}

/** What a backend allows in a name, for {@link escapeName}. */
export interface NameRules {
  /**
   * Matches one character that the backend takes as it is; no `g` or `y` flag. `~` and the escape character are written escaped even
   * if it matches them.
   */
  readonly allowed: RegExp;
  /** The longest name that the backend takes, in characters (which are all ASCII if `allowed` matches ASCII only). At least 66. */
  readonly limit: number;
  /** The character that begins an escape, one that the backend allows. Default `%`. */
  readonly escape?: string;
}

/** `~` and a SHA-256 in hexadecimal. */
const DIGEST_LENGTH = 65;

/**
 * Writes `name` in the characters that a backend allows, so that different names stay different: every other character becomes
 * `%XX` per byte of its UTF-8, in upper case. A result longer than the limit is cut, and ends in `~` and the SHA-256 of the whole name
 * (no shorter result contains a `~`).
 *
 * @throws {TypeError} if the rules cannot be kept or the name is not well-formed
 */
export function escapeName(name: string, rules: NameRules): string {
  const mark = rules.escape ?? "%";
  if (rules.limit <= DIGEST_LENGTH) throw new TypeError(`a limit of ${rules.limit} has no room for a SHA-256`);
  if (mark.length !== 1 || mark === "~" || rules.allowed.global || rules.allowed.sticky) throw new TypeError("these rules cannot be kept");
  if (!name.isWellFormed()) throw new TypeError("a name with half of a surrogate pair cannot be escaped");
  const parts: string[] = [];
  for (const character of name) {
    const asItIs = character !== mark && character !== "~" && rules.allowed.test(character);
    parts.push(asItIs ? character : escapeBytes(character, mark));
  }
  const escaped = parts.join("");
  if (escaped.length <= rules.limit) return escaped;
  const room = rules.limit - DIGEST_LENGTH;
  let kept = "";
  // Whole characters only, so that nobody reads half an escape.
  for (const part of parts) {
    if (kept.length + part.length > room) break;
    kept += part;
  }
  // Not imported: that takes a tenth of the time of importing this whole package, and few programs have such names.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return `${kept}~${createHash("sha256").update(name, "utf8").digest("hex")}`;
}

function escapeBytes(character: string, mark: string): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(character)) escaped += mark + byte.toString(16).toUpperCase().padStart(2, "0");
  return escaped;
}
