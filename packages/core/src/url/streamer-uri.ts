/** What a streamer connects to: a backend and its nodes, without any stream. */
import { StreamError } from "../error/stream-error.ts";
import { showInInspect } from "../observe/custom-inspect.ts";
import { assertStreamKey } from "./stream-key.ts";
import { parseNode, type StreamerNode } from "./streamer-node.ts";

/** The scheme of a URL, without the colon, in lower case. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/;

/** What a {@link StreamerUri} is made of. */
export interface StreamerUriParts {
  /** Without the colon; in lower case, such as `"redis"`. */
  readonly scheme: string;
  /** `host` or `host:port`, IPv6 in brackets. Default: none. */
  readonly nodes?: readonly string[] | undefined;
  /** As it is, not percent-encoded. Default: none. */
  readonly username?: string | undefined;
  /** As it is, not percent-encoded. Default: none. */
  readonly password?: string | undefined;
  /** What the driver opens there: a database's number, a file's path. Default: empty. */
  readonly root?: string | undefined;
  /** How the root is written in a URL, from its first slash. Default: the root, percent-encoded. */
  readonly path?: string | undefined;
}

/**
 * `scheme://[user:pass@]node[,node…]`: what `connect` opens.
 *
 * Neither its text, nor its JSON, nor what `util.inspect` shows has the user name or the password: some backends take a token as the
 * name. Credentials show as `***`. It is immutable.
 */
export class StreamerUri {
  static {
    showInInspect(StreamerUri.prototype, function () {
      return `StreamerUri ${this.toString()}`;
    });
  }

  /** Without the colon, in lower case. */
  readonly scheme: string;
  /** In the order given; none where the URL has no authority (`file:///…`, `memory://`). */
  readonly nodes: readonly StreamerNode[];
  /** The nodes as they stand in the URL, separated by commas, without credentials. */
  readonly authority: string;
  /** What the driver opens beside the nodes, as its `splitPath` gave it; empty where there is nothing. */
  readonly root: string;
  readonly #path: string;
  readonly #username: string | undefined;
  readonly #password: string | undefined;

  /** @throws {StreamError} `invalid-url` for a scheme, host or port that cannot be one; nothing but the scheme is shown. */
  constructor(parts: StreamerUriParts) {
    if (!SCHEME.test(parts.scheme)) throw invalidUrl(undefined, "a scheme is a letter, and then letters, digits, + . or -, in lower case");
    const nodes: StreamerNode[] = [];
    for (const text of parts.nodes ?? []) {
      const node = parseNode(text);
      if ("fault" in node) throw invalidUrl(parts.scheme, node.fault);
      nodes.push(node);
    }
    this.scheme = parts.scheme;
    this.nodes = nodes;
    this.authority = nodes.map((node) => node.text).join(",");
    this.root = parts.root ?? "";
    this.#path = parts.path ?? pathOf(this.root);
    this.#username = parts.username === "" ? undefined : parts.username;
    this.#password = parts.password === "" ? undefined : parts.password;
  }

  /** Decoded; undefined where the URL has none. */
  get username(): string | undefined {
    return this.#username;
  }

  /** Decoded; undefined where the URL has none. For the driver's client only: it belongs in no text. */
  get password(): string | undefined {
    return this.#password;
  }

  /** The URL with `***@` in place of credentials. */
  toString(): string {
    const hidden = this.#username === undefined && this.#password === undefined ? "" : "***@";
    return `${this.scheme}://${hidden}${this.authority}${this.#path}`;
  }

  /** As {@link toString}. */
  toJSON(): string {
    return this.toString();
  }
}

/** A {@link StreamerUri} with stream keys and parameters: what a program's configuration names. It is immutable. */
export class StreamUrl {
  static {
    showInInspect(StreamUrl.prototype, function () {
      return `StreamUrl ${this.toString()}`;
    });
  }

  readonly uri: StreamerUri;
  /** In the order given; may be empty. */
  readonly streamKeys: readonly string[];
  readonly #parameters: ReadonlyMap<string, string>;

  private constructor(uri: StreamerUri, streamKeys: readonly string[], parameters: ReadonlyMap<string, string>) {
    this.uri = uri;
    this.streamKeys = streamKeys;
    this.#parameters = parameters;
  }

  /**
   * Puts one together. A {@link StreamUrl} given as `uri` lends its URI, nothing else.
   *
   * @throws {StreamError} `invalid-stream-key`
   */
  static of(
    uri: StreamerUri | StreamUrl,
    streamKeys: string | readonly string[] = [],
    parameters: ReadonlyMap<string, string> | Readonly<Record<string, string>> = {},
  ): StreamUrl {
    const keys = typeof streamKeys === "string" ? [streamKeys] : [...streamKeys];
    for (const key of keys) assertStreamKey(key);
    const entries = parameters instanceof Map ? parameters : Object.entries(parameters);
    return new StreamUrl(uri instanceof StreamUrl ? uri.uri : uri, keys, new Map(entries));
  }

  /** The query's parameters, decoded. Their values may be secrets, so they show in no text of this object. */
  get parameters(): ReadonlyMap<string, string> {
    return this.#parameters;
  }

  /** The URL with `***@` in place of credentials, and without its parameters. */
  toString(): string {
    return this.streamKeys.length === 0 ? this.uri.toString() : `${this.uri.toString()}/${this.streamKeys.join(",")}`;
  }

  /** As {@link toString}. */
  toJSON(): string {
    return this.toString();
  }
}

function pathOf(root: string): string {
  if (root === "") return "";
  const encoded = root.split("/").map(encodeURIComponent).join("/");
  return encoded.startsWith("/") ? encoded : `/${encoded}`;
}

/** The error for a URL that does not parse: it shows the scheme and nothing else, and has no cause. */
export function invalidUrl(scheme: string | undefined, why: string): StreamError {
  return new StreamError("invalid-url", `${scheme === undefined ? "***" : `${scheme}://***`}: ${why}`, { phase: "setup" });
}
