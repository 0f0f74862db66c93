/** Reads a URL as a program's configuration has it. By hand: the platform's parser refuses several hosts and quotes what it refuses. */
import type { Driver } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import { PERCENT_RULE, percentDecode } from "./percent-decode.ts";
import { isStreamKey, STREAM_KEY_RULE } from "./stream-key.ts";
import { invalidUrl, StreamerUri, StreamUrl } from "./streamer-uri.ts";

type SplitPath = NonNullable<Driver["splitPath"]>;

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;
const CONTROL_CHARACTER = /\p{Cc}/u;
/** What a parameter's name has to look like to be shown: anything else may be a piece of a password. */
const SHOWABLE_NAME = /^[A-Za-z.]+$/;

const ENCODE_CREDENTIALS =
  "in a user name or password, / ? # , @ must be percent-encoded (/ as %2F, ? as %3F, # as %23, a comma as %2C, @ as %40), and so must an @ anywhere behind the hosts";

/**
 * The scheme of a URL, in lower case and without the colon: what finds its driver.
 *
 * @throws {TypeError} if it is not a text
 * @throws {StreamError} `invalid-url` if it does not begin with `scheme://`
 */
export function schemeOf(text: string): string {
  if (typeof text !== "string")
    throw new TypeError(`a URL is a text such as "redis://localhost/orders", not ${text === null ? null : typeof text}`);
  const scheme = SCHEME.exec(text)?.[1];
  if (scheme === undefined) throw invalidUrl(undefined, 'a URL begins with its scheme and ://, as "redis://localhost/orders" does');
  return scheme.toLowerCase();
}

/**
 * Reads `scheme://[user:pass@]node[,node…][/key[,key…]][?name=value[&…]]`. What follows the last slash is the list of keys, unless the
 * driver splits the path in its own way; no slash, or nothing after it: no keys. Credentials, and the names and values of
 * parameters, are percent-decoded (a `+` stays a `+`); hosts and keys are taken as they are. Fragments, repeated parameters, and hosts
 * that are empty beside others or beside credentials, are refused.
 *
 * What does not parse is shown only as `scheme://***`, without a cause.
 *
 * @throws {TypeError} if it is not a text
 * @throws {StreamError} `invalid-url`; `invalid-stream-key` for a key that cannot be one
 */
export function parseStreamUrl(text: string, splitPath?: SplitPath): StreamUrl {
  const scheme = schemeOf(text);
  const rest = text.slice(scheme.length + "://".length);
  if (CONTROL_CHARACTER.test(rest) || !rest.isWellFormed())
    throw invalidUrl(scheme, "it has a control character or half of a surrogate pair");
  if (rest !== rest.trim()) throw invalidUrl(scheme, "it ends in white space");
  if (rest.includes("#")) throw invalidUrl(scheme, `it has no fragment, so there is no # in it; ${ENCODE_CREDENTIALS}`);
  // The query is cut off first: a slash, a comma or a colon in it means nothing to the rest.
  const [beforeQuery, query] = cutAt(rest, rest.indexOf("?"), 1);
  const [authority, path] = cutAt(beforeQuery, beforeQuery.indexOf("/"), 0);
  refuseStrayAt(scheme, authority, path, query, splitPath !== undefined);
  const { credentials, hosts } = splitAuthority(scheme, authority);
  const { root, rootPath, keys } = splitKeys(scheme, path, hosts, splitPath);
  const uri = new StreamerUri({ scheme, nodes: hosts === "" ? [] : hosts.split(","), ...credentials, root, path: rootPath });
  return StreamUrl.of(uri, keys, parseParameters(scheme, query));
}

/**
 * An `@` behind the hosts means that a password with an unencoded `/` or `?` was cut in two, and what was taken for the host and
 * the port is its first half. A path that a driver splits may have one, but only where nothing before it can be a password.
 */
function refuseStrayAt(scheme: string, authority: string, path: string, query: string, ownPaths: boolean): void {
  const harmlessInPath = ownPaths && !authority.includes(":") && !authority.includes("@");
  if (query.includes("@") || (path.includes("@") && !harmlessInPath)) throw invalidUrl(scheme, ENCODE_CREDENTIALS);
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

function splitAuthority(scheme: string, authority: string): { readonly credentials: Credentials; readonly hosts: string } {
  const at = authority.lastIndexOf("@");
  if (at === -1) return { credentials: {}, hosts: authority };
  const hosts = authority.slice(at + 1);
  const given = authority.slice(0, at);
  if (given.includes("@") || given.includes(",")) throw invalidUrl(scheme, ENCODE_CREDENTIALS);
  if (hosts === "") throw invalidUrl(scheme, "there is no host behind the credentials");
  const colon = given.indexOf(":");
  if (colon === -1) return { credentials: { username: decoded(scheme, given) }, hosts };
  return { credentials: { username: decoded(scheme, given.slice(0, colon)), password: decoded(scheme, given.slice(colon + 1)) }, hosts };
}

interface SplitKeys {
  readonly root: string;
  /** The root as it stands in the URL. */
  readonly rootPath: string;
  readonly keys: readonly string[];
}

function splitKeys(scheme: string, path: string, hosts: string, splitPath: SplitPath | undefined): SplitKeys {
  const split = splitPath === undefined ? splitAtLastSlash(scheme, path) : splitByDriver(scheme, path, hosts, splitPath);
  for (const key of split.keys) {
    // Not `assertStreamKey`: it shows what it refuses.
    if (key.includes("@")) throw invalidUrl(scheme, ENCODE_CREDENTIALS);
    if (!isStreamKey(key)) throw new StreamError("invalid-stream-key", `in ${scheme}://***: ${STREAM_KEY_RULE}`, { phase: "setup" });
  }
  const list = `/${split.keys.join(",")}`;
  const rootPath =
    split.keys.length > 0 ? path.slice(0, path.endsWith(list) ? -list.length : path.lastIndexOf("/")) : path.replace(/\/$/, "");
  return { ...split, rootPath };
}

function splitAtLastSlash(scheme: string, path: string): { readonly root: string; readonly keys: readonly string[] } {
  const slash = path.lastIndexOf("/");
  if (slash > 0) throw invalidUrl(scheme, "behind the hosts there is one slash, and then the stream keys, separated by commas");
  const list = path.slice(slash + 1);
  return { root: "", keys: list === "" ? [] : list.split(",") };
}

function splitByDriver(scheme: string, path: string, hosts: string, splitPath: SplitPath): ReturnType<SplitPath> {
  try {
    return splitPath(path, hosts);
  } catch (error) {
    // Its words may quote the path, and that may hold a piece of a password.
    if (path.includes("@")) throw invalidUrl(scheme, `its path is not one that this backend knows; ${ENCODE_CREDENTIALS}`);
    if (error instanceof StreamError) throw error;
    throw invalidUrl(scheme, error instanceof Error ? error.message : "its path is not one that this backend knows");
  }
}

function parseParameters(scheme: string, query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const piece of query.split("&")) {
    if (piece === "") continue;
    const [rawName, rawValue] = cutAt(piece, piece.indexOf("="), 1);
    const name = decoded(scheme, rawName);
    if (name === "") throw invalidUrl(scheme, "a parameter has no name");
    if (parameters.has(name)) {
      throw invalidUrl(scheme, SHOWABLE_NAME.test(name) ? `the parameter ${name} stands twice` : "a parameter stands twice");
    }
    parameters.set(name, decoded(scheme, rawValue));
  }
  return parameters;
}

/** What stands before `index` and, leaving out `skip` characters, from it on; all and nothing when it is -1. */
function cutAt(text: string, index: number, skip: number): readonly [string, string] {
  return index === -1 ? [text, ""] : [text.slice(0, index), text.slice(index + skip)];
}

function decoded(scheme: string, text: string): string {
  try {
    return percentDecode(text);
  } catch {
    throw invalidUrl(scheme, PERCENT_RULE);
  }
}
