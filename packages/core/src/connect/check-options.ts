/** Checks options that were given in code, and puts them over those of the URL. */
import type { OptionKind, OptionScope } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import { nearestName } from "./nearest-name.ts";
import {
  describeKind,
  OPTION_CALLS,
  OPTION_SCOPES,
  type OptionKinds,
  type PortableKind,
  type PortableOptionTable,
  RESERVED_SEND_OPTIONS,
} from "./option-tables.ts";

const NO_NAMES: readonly string[] = [];

/**
 * Throws unless `given` is an object of known options with values of their kinds. A value that is undefined counts as absent; so does
 * `given` itself. The namespace of the driver in use is checked against its table; those of `otherDrivers` are not looked at, so that
 * one program can carry options for several backends. Nothing is allocated when all is well: this runs for every send with options.
 *
 * @param portable core's options of every place
 * @param otherDrivers names of drivers that are not in use; default: none
 * @throws {TypeError} if `given` is no object
 * @throws {StreamError} `invalid-option`, naming what is known or expected, never the value of a text; `unsupported` for a reserved name
 */
export function checkOptions(
  scope: OptionScope,
  given: unknown,
  portable: PortableOptionTable,
  driverName: string,
  driverTable: PortableOptionTable,
  otherDrivers: readonly string[] = NO_NAMES,
): void {
  if (given === undefined) return;
  const where = OPTION_CALLS[scope];
  assertOptionsObject(given, where);
  const kinds = portable[scope];
  for (const name in given) {
    const value = given[name];
    if (value === undefined) continue;
    if (Object.hasOwn(kinds, name)) checkValue(kinds[name], value, name, where, scope);
    else if (name === driverName) checkNamespace(driverTable[scope], value, driverName, where, scope);
    else if (!otherDrivers.includes(name)) throw unknownName(name, scope, portable, driverName, driverTable, where);
  }
}

/**
 * As {@link checkOptions}, for a call in which drivers have no options: `run`, `fetch`, `relay`.
 *
 * @throws {TypeError} if `given` is no object
 * @throws {StreamError} `invalid-option`
 */
export function checkFlatOptions(given: unknown, kinds: OptionKinds, where: string): void {
  if (given === undefined) return;
  assertOptionsObject(given, where);
  for (const name in given) {
    const value = given[name];
    if (value === undefined) continue;
    if (!Object.hasOwn(kinds, name)) {
      throw invalidOption(
        `${where} has no option ${quoted(name)}${suggestion(name, Object.keys(kinds))}; it has ${Object.keys(kinds).join(", ")}`,
      );
    }
    checkValue(kinds[name], value, name, where, undefined);
  }
}

type Options = Readonly<Record<string, unknown>>;

/**
 * Puts options from code over those from the URL: code wins, but for what is undefined. A driver's namespace that both have is merged
 * option by option.
 */
export function mergeOptions(fromUrl: object, fromCode: object | undefined): Options {
  const merged: Record<string, unknown> = { ...fromUrl };
  for (const [name, value] of Object.entries<unknown>({ ...fromCode })) {
    if (value === undefined) continue;
    const before = merged[name];
    // A URL gives no objects but namespaces.
    const isNamespace = typeof before === "object" && before !== null && !Array.isArray(before);
    merged[name] = isNamespace && typeof value === "object" && value !== null ? mergeOptions(before, value) : value;
  }
  return merged;
}

function assertOptionsObject(given: unknown, where: string): asserts given is Options {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`${where} takes its options as an object, not ${describeType(given)}`);
  }
}

function checkNamespace(kinds: OptionKinds, given: unknown, driverName: string, where: string, scope: OptionScope): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalidOption(`${where}: ${driverName} must be an object of options, not ${describeType(given)}`, scope);
  }
  const options = given as Options;
  for (const name in options) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Object.hasOwn(kinds, name)) {
      const known = Object.keys(kinds);
      const has = known.length === 0 ? "it has none here" : `it has ${known.join(", ")}`;
      throw invalidOption(`${where}: ${driverName} has no option ${quoted(name)}${suggestion(name, known)}; ${has}`, scope);
    }
    checkValue(kinds[name], value, `${driverName}.${name}`, where, scope);
  }
}

function checkValue(kind: PortableKind | undefined, value: unknown, name: string, where: string, scope: OptionScope | undefined): void {
  if (kind === undefined || accepts(kind, value)) return;
  const words = typeof kind === "string" || "anyOf" in kind ? [] : kind;
  const hint = typeof value === "string" ? suggestion(value, words) : `, not ${describeType(value)}`;
  throw invalidOption(`${where}: ${name} must be ${describeKind(kind)}${hint}`, scope);
}

/** Whether a value given in code is of a kind. */
function accepts(kind: PortableKind, value: unknown): boolean {
  switch (kind) {
    case "boolean":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY;
    case "text":
      return typeof value === "string";
    case "texts":
      return Array.isArray(value) && value.every((one) => typeof one === "string");
    case "any":
      return true;
    case "object":
      return (typeof value === "object" && value !== null) || typeof value === "function";
  }
  if ("anyOf" in kind) return acceptsAny(kind.anyOf, value);
  return typeof value === "string" && kind.includes(value);
}

function acceptsAny(kinds: readonly OptionKind[], value: unknown): boolean {
  for (const kind of kinds) if (accepts(kind, value)) return true;
  return false;
}

function unknownName(
  name: string,
  scope: OptionScope,
  portable: PortableOptionTable,
  driverName: string,
  driverTable: PortableOptionTable,
  where: string,
): StreamError {
  if (scope === "send" && RESERVED_SEND_OPTIONS.includes(name)) {
    return new StreamError("unsupported", `${where}: ${name} is reserved; no backend does it yet`);
  }
  const known = Object.keys(portable[scope]);
  const own = Object.keys(driverTable[scope]);
  const list = own.length === 0 ? known.join(", ") : `${known.join(", ")}, and ${driverName}: { ${own.join(", ")} }`;
  return invalidOption(
    `${where} has no option ${quoted(name)}${placeOf(name, portable, driverName, driverTable, scope) ?? suggestion(name, known)}; it has ${list}`,
    scope,
  );
}

/** Where an option belongs that stands in the wrong place. */
function placeOf(
  name: string,
  portable: PortableOptionTable,
  driverName: string,
  driverTable: PortableOptionTable,
  scope: OptionScope,
): string | undefined {
  if (Object.hasOwn(driverTable[scope], name)) return ` (it is ${driverName}: { ${name} })`;
  for (const other of OPTION_SCOPES) {
    if (Object.hasOwn(portable[other], name)) return ` (it is an option of ${OPTION_CALLS[other]})`;
    if (Object.hasOwn(driverTable[other], name)) return ` (it is ${driverName}: { ${name} }, an option of ${OPTION_CALLS[other]})`;
  }
  return undefined;
}

function suggestion(mistaken: string, known: readonly string[]): string {
  const nearest = nearestName(mistaken, known);
  return nearest === undefined ? "" : ` (did you mean "${nearest}"?)`;
}

/** An option's name as it was given, if it looks like one. */
function quoted(name: string): string {
  return /^[A-Za-z0-9_$.-]{1,64}$/.test(name) ? `"${name}"` : "of this name";
}

function describeType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return String(value);
  return value === undefined ? "undefined" : `a value of type ${typeof value}`;
}

function invalidOption(text: string, scope?: OptionScope): StreamError {
  return new StreamError("invalid-option", text, { phase: scope === "send" || scope === undefined ? "running" : "setup" });
}
