/** Turns a URL's parameters into the options that they set, by the same names as in code. */

import { nearestName } from "../connect/nearest-name.ts";
import { describeKind, OPTION_CALLS, OPTION_SCOPES, type PortableKind, type PortableOptionTable } from "../connect/option-tables.ts";
import type { OptionScope } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";

/** Options by place, as they would be given in code: portable ones at the top, the driver's under its name. */
export type UrlOptions = Readonly<Record<OptionScope, Readonly<Record<string, unknown>>>>;

/** What a parameter's name has to look like to be shown: anything else may be a piece of a password. */
const SHOWABLE_NAME = /^[A-Za-z.]+$/;
const NUMBER = /^[0-9]+(?:\.[0-9]+)?$/;

/** `send` is missing: what differs from message to message is not configuration. */
const URL_SCOPES: readonly OptionScope[] = OPTION_SCOPES.filter((scope) => scope !== "send");

/**
 * The options that `parameters` set, with values of the kinds that the tables say: `true` or `false`, digits, text, or a list with
 * commas. A parameter sets its option in every place that has it (`timeoutMs`, `shards`), but for `send`. The driver's own options
 * may be named with its name before them (`nats.delivery`) or without (`delivery`); where both have a name, it is core's.
 *
 * @throws {StreamError} `invalid-option` for a parameter that is unknown, given twice, of a wrong value, or for code only; its value is
 * never shown, and its name only if it is letters and dots
 */
export function optionsFromUrl(
  parameters: ReadonlyMap<string, string>,
  portable: PortableOptionTable,
  driverName: string,
  driverTable: PortableOptionTable,
): UrlOptions {
  const options: Record<OptionScope, Record<string, unknown>> = { connect: {}, producer: {}, send: {}, consumer: {}, stream: {} };
  for (const [name, value] of parameters) {
    if (URL_SCOPES.some((scope) => Object.hasOwn(portable[scope], name))) {
      for (const scope of URL_SCOPES) {
        const kind = kindOf(portable, scope, name);
        if (kind !== undefined) options[scope][name] = parseValue(kind, value, name);
      }
      continue;
    }
    const own = ownName(name, driverName, driverTable);
    if (own === undefined) throw unknownParameter(name, portable, driverName, driverTable);
    for (const scope of URL_SCOPES) {
      const kind = kindOf(driverTable, scope, own);
      if (kind === undefined) continue;
      const namespace = (options[scope][driverName] ?? {}) as Record<string, unknown>;
      if (Object.hasOwn(namespace, own)) throw invalidParameter(`the parameters ${own} and ${driverName}.${own} are the same option`);
      namespace[own] = parseValue(kind, value, name);
      options[scope][driverName] = namespace;
    }
  }
  return options;
}

/** The driver's option that a parameter names, if it names one. */
function ownName(name: string, driverName: string, driverTable: PortableOptionTable): string | undefined {
  const own = name.startsWith(`${driverName}.`) ? name.slice(driverName.length + 1) : name;
  return URL_SCOPES.some((scope) => Object.hasOwn(driverTable[scope], own)) ? own : undefined;
}

function kindOf(table: PortableOptionTable, scope: OptionScope, name: string): PortableKind | undefined {
  const kinds = table[scope];
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** `name` is known, and so can be shown. */
function parseValue(kind: PortableKind, value: string, name: string): unknown {
  const parsed = valueOfKind(kind, value);
  if (parsed !== undefined) return parsed;
  if (kind === "object" || kind === "any") throw invalidParameter(`${name} can only be given in code, not in a URL`);
  throw invalidParameter(`the parameter ${name} must be ${expectation(kind)}`);
}

function valueOfKind(kind: PortableKind, value: string): unknown {
  switch (kind) {
    case "boolean":
      return value === "true" ? true : value === "false" ? false : undefined;
    case "number": {
      const number = NUMBER.test(value) ? Number(value) : Number.NaN;
      return Number.isFinite(number) ? number : undefined;
    }
    case "text":
      return value === "" ? undefined : value;
    case "texts": {
      const texts = value.split(",");
      return texts.includes("") ? undefined : texts;
    }
    case "object":
    case "any":
      return undefined;
  }
  if (!("anyOf" in kind)) return kind.includes(value) ? value : undefined;
  for (const one of kind.anyOf) {
    const parsed = valueOfKind(one, value);
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

/** What a URL can say of a kind. */
function expectation(kind: PortableKind): string {
  if (kind === "text") return "a text that is not empty";
  if (kind === "texts") return "a list of texts, separated by commas, none of them empty";
  if (typeof kind === "string" || !("anyOf" in kind)) return describeKind(kind);
  return kind.anyOf
    .filter((one) => one !== "object")
    .map(expectation)
    .join(", or ");
}

function unknownParameter(name: string, portable: PortableOptionTable, driverName: string, driverTable: PortableOptionTable): StreamError {
  const known = settable(portable);
  const own = settable(driverTable);
  const all = `known are ${[...known, ...own.map((one) => `${driverName}.${one}`)].join(", ")}`;
  if (!SHOWABLE_NAME.test(name)) return invalidParameter(`the URL has an unknown parameter; ${all}`);
  if (Object.hasOwn(portable.send, name) || Object.hasOwn(driverTable.send, name)) {
    return invalidParameter(`${name} is given with each ${OPTION_CALLS.send}, not in a URL`);
  }
  const nearest = nearestName(name, [...known, ...own, ...own.map((one) => `${driverName}.${one}`)]);
  return invalidParameter(`the URL has an unknown parameter ${name}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}; ${all}`);
}

/** Names that a URL can set. */
function settable(table: PortableOptionTable): readonly string[] {
  const names = URL_SCOPES.flatMap((scope) => Object.entries(table[scope]).filter(([, kind]) => kind !== "object" && kind !== "any"));
  return [...new Set(names.map(([name]) => name))];
}

function invalidParameter(text: string): StreamError {
  return new StreamError("invalid-option", text, { phase: "setup" });
}
