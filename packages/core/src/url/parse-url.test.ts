import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PORTABLE_OPTIONS } from "../connect/option-tables.ts";
import type { OptionTable } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import { parseStreamUrl, schemeOf } from "./parse-url.ts";
import type { StreamUrl } from "./streamer-uri.ts";
import { optionsFromUrl } from "./url-options.ts";

const NO_OPTIONS: OptionTable = { connect: {}, producer: {}, send: {}, consumer: {}, stream: {} };

/** As the Redis driver splits: a first segment of digits is the database. Quotes what it refuses, to see that core does not pass it on. */
function redisPath(path: string): { readonly root: string; readonly keys: readonly string[] } {
  const segments = path.split("/").slice(1);
  const root = /^\d+$/.test(segments[0] ?? "") ? (segments.shift() ?? "") : "";
  if (segments.length > 1) throw new StreamError("invalid-url", `there is more than a database and keys in ${path}`);
  const list = segments[0] ?? "";
  return { root, keys: list === "" ? [] : list.split(",") };
}

/** As the file driver splits: what ends in .ss is the file. */
function filePath(path: string, authority: string): { readonly root: string; readonly keys: readonly string[] } {
  const whole = decodeURIComponent(authority + path).replace(/\/$/, "");
  if (whole.endsWith(".ss")) return { root: whole, keys: [] };
  const slash = whole.lastIndexOf("/");
  if (!whole.slice(0, slash).endsWith(".ss")) throw new StreamError("invalid-url", `the file in ${path} must end in .ss`);
  return { root: whole.slice(0, slash), keys: whole.slice(slash + 1).split(",") };
}

function failure(text: string, splitPath?: typeof filePath): StreamError {
  try {
    parseStreamUrl(text, splitPath);
  } catch (error) {
    if (error instanceof StreamError) return error;
    throw error;
  }
  throw new Error(`${text} was parsed`);
}

describe("the scheme of a URL", () => {
  it("is lower-cased", () => {
    expect(schemeOf("Redis+Sentinel://h")).toBe("redis+sentinel");
  });

  it.each(["", "redis", "redis:h", "redis:/h", "://h", "1x://h", " redis://h", "user:secret@h/orders"])(
    "is missing in %j, of which nothing is shown",
    (text) => {
      expect(() => schemeOf(text)).toThrow(/^invalid-url: \*\*\*: a URL begins with its scheme/);
    },
  );

  it.each([undefined, null, 1, {}])("of %j is a TypeError", (text) => {
    expect(() => schemeOf(text as never)).toThrow(TypeError);
  });
});

describe("a stream URL", () => {
  it.each([
    ["nats://h", [["h", undefined]], []],
    ["nats://h/", [["h", undefined]], []],
    ["nats://h:4222/orders", [["h", 4222]], ["orders"]],
    ["NATS://Host:4222/Orders", [["Host", 4222]], ["Orders"]],
    [
      "kafka://b1:9092,b2:9093,b_3/a,b.c",
      [
        ["b1", 9092],
        ["b2", 9093],
        ["b_3", undefined],
      ],
      ["a", "b.c"],
    ],
    [
      "redis://[::1]:6379,[fe80::1%25eth0]/orders",
      [
        ["::1", 6379],
        ["fe80::1%25eth0", undefined],
      ],
      ["orders"],
    ],
    ["redis://10.0.0.1/orders", [["10.0.0.1", undefined]], ["orders"]],
    ["memory://", [], []],
    ["memory://name", [["name", undefined]], []],
    ["memory:///orders", [], ["orders"]],
    ["stdio:///a,b", [], ["a", "b"]],
  ])("%s has its hosts and keys", (text, nodes, keys) => {
    const url = parseStreamUrl(text);
    expect(url.uri.nodes.map((node) => [node.host, node.port])).toEqual(nodes);
    expect(url.streamKeys).toEqual(keys);
    expect(url.uri.root).toBe("");
    expect(url.uri.scheme).toBe(schemeOf(text));
  });

  it("has its credentials percent-decoded", () => {
    const { uri } = parseStreamUrl("redis://al%40ice:%2F%3F%23%2C%40%25%C3%A4:+@h/orders");
    expect([uri.username, uri.password]).toEqual(["al@ice", "/?#,@%ä:+"]);
    expect(parseStreamUrl("redis://:pw@h").uri).toMatchObject({ username: undefined, password: "pw" });
    expect(parseStreamUrl("nats://token@h").uri).toMatchObject({ username: "token", password: undefined });
    expect(parseStreamUrl("nats://@h").uri).toMatchObject({ username: undefined, password: undefined });
  });

  it("has its parameters decoded, and + is a +", () => {
    const url = parseStreamUrl("redis://h/orders?mode=load-balanced&group=a%20b%26c+d&x=1/2,3:4?5&&flag");
    expect(Object.fromEntries(url.parameters)).toEqual({ mode: "load-balanced", group: "a b&c+d", x: "1/2,3:4?5", flag: "" });
    expect(url.streamKeys).toEqual(["orders"]);
    expect(parseStreamUrl("redis://h?mode=resumable").parameters.get("mode")).toBe("resumable");
    expect(parseStreamUrl("redis://h?").parameters.size).toBe(0);
  });

  it("is split by its driver where that has a way of its own", () => {
    expect(parseStreamUrl("redis://h/2/orders", redisPath)).toMatchObject({ uri: { root: "2" }, streamKeys: ["orders"] });
    expect(parseStreamUrl("redis://h/2", redisPath)).toMatchObject({ uri: { root: "2" }, streamKeys: [] });
    expect(parseStreamUrl("redis://h/a,b", redisPath)).toMatchObject({ uri: { root: "" }, streamKeys: ["a", "b"] });
    expect(parseStreamUrl("file:///Data/a,b%20c.ss/x,y", filePath)).toMatchObject({
      uri: { root: "/Data/a,b c.ss" },
      streamKeys: ["x", "y"],
    });
    expect(parseStreamUrl("file://x.ss", filePath)).toMatchObject({ uri: { root: "x.ss" }, streamKeys: [] });
    expect(parseStreamUrl("file:///C:/x.ss", filePath)).toMatchObject({ uri: { root: "/C:/x.ss" }, streamKeys: [] });
    expect(parseStreamUrl("file:///@scope/x.ss", filePath)).toMatchObject({ uri: { root: "/@scope/x.ss" }, streamKeys: [] });
  });

  it("passes on what its driver says is wrong, unless that may quote a password", () => {
    expect(failure("file:///data/x.txt/y", filePath).message).toContain("must end in .ss");
    expect(failure("redis://u:p@h/a/b", redisPath).message).toContain("more than a database");
    expect(failure("redis://half/secret@h/orders", redisPath).message).toMatch(/^invalid-url: redis:\/\/\*\*\*: (?!.*secret)/);
  });

  it.each([
    ["redis://user:pa/ss@h/orders"],
    ["redis://user:12/ss@h/orders"],
    ["redis://user:pa?ss@h/orders"],
    ["redis://user:12?ss=1@h/orders"],
    ["redis://user:pa#ss@h/orders"],
    ["redis://user:pa,ss@h/orders"],
    ["redis://user:pa@ss@h/orders"],
    ["redis://user:pa@12/ss@h/orders"],
    ["redis://user:pa@12?ss@h/orders"],
    ["nats://pa/ss@h"],
  ])("%s is refused, and the error says what to percent-encode", (text) => {
    for (const splitPath of [undefined, redisPath]) {
      const { message } = failure(text, splitPath);
      expect(message).toMatch(/^invalid-url: [a-z]+:\/\/\*\*\*: .*must be percent-encoded/);
    }
  });

  it.each([
    "redis://:1",
    "redis://h:0",
    "redis://h:65536",
    "redis://h:",
    "redis://h:1x",
    "redis://,h",
    "redis://h,",
    "redis://u:p@",
    "redis://u:p@/orders",
    "redis://::1/orders",
    "redis://[::1/orders",
    "redis://[1.2.3.4]/orders",
    "redis://h h/orders",
    "redis://h/a/b",
    "redis://h//",
    "redis://h/orders/",
    "redis://h/orders#x",
    "redis://h/orders?a=1&a=2",
    "redis://h/orders?=1",
    "redis://h/orders?a=%zz",
    "redis://u:%zz@h/orders",
    "redis://h/orders\n",
    "redis://h/orders ",
    "redis://h\u0000/orders",
    "redis://\ud800/orders",
  ])("%j is refused, without a cause and with nothing but the scheme", (text) => {
    const error = failure(text);
    expect(error).toMatchObject({ code: "invalid-url", phase: "setup" });
    expect(error.cause).toBeUndefined();
    expect(error.message).toMatch(/^invalid-url: redis:\/\/\*\*\*: /);
  });

  it.each(["redis://h/a,", "redis://h/,", "redis://h/a..b", "redis://h/%61", "redis://h/a b"])(
    "%j has a bad key, which is not shown",
    (text) => {
      expect(failure(text).message).toMatch(/^invalid-stream-key: in redis:\/\/\*\*\*: a stream key is/);
    },
  );
});

const name = fc.stringMatching(/^[a-z0-9_-]{1,8}(\.[A-Z0-9]{1,3})?$/);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const host = fc.oneof(
  name,
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const node = fc.tuple(host, port).map(([text, number]) => (number === undefined ? text : `${text}:${number}`));
const nodes = fc.array(node, { minLength: 1, maxLength: 3 });
const credential = fc.option(fc.string({ unit: "binary", minLength: 1 }), { nil: undefined });

describe("any stream URL", () => {
  it("has what it was put together from, and is itself again from its text, but for credentials and parameters", () => {
    const parameters = fc.dictionary(fc.string({ unit: "binary", minLength: 1 }), fc.string({ unit: "binary" }), { maxKeys: 3 });
    fc.assert(
      fc.property(
        nodes,
        credential,
        credential,
        fc.array(name, { maxLength: 3 }),
        fc.nat(20),
        parameters,
        (hosts, user, pass, keys, db, given) => {
          const login =
            user === undefined && pass === undefined ? "" : `${encodeURIComponent(user ?? "")}:${encodeURIComponent(pass ?? "")}@`;
          const query = Object.entries(given).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
          const root = db > 9 ? "" : String(db);
          const tail = `${root === "" ? "" : `/${root}`}${keys.length > 0 ? `/k${keys.join(",k")}` : ""}`;
          const url = parseStreamUrl(`redis://${login}${hosts.join(",")}${tail}?${query.join("&")}`, redisPath);
          expect(url.uri.nodes.map((one) => one.text)).toEqual(hosts);
          expect([url.uri.username, url.uri.password]).toEqual([user, pass]);
          expect([url.uri.root, url.streamKeys]).toEqual([root, keys.map((key) => `k${key}`)]);
          expect([...url.parameters]).toEqual(Object.entries(given));
          const text = String(url);
          expect(text).toBe(`redis://${login === "" ? "" : "***@"}${hosts.join(",")}${tail}`);
          const again = parseStreamUrl(text, redisPath);
          expect(String(again)).toBe(text);
          expect([again.uri.nodes, again.uri.root, again.streamKeys]).toEqual([url.uri.nodes, url.uri.root, url.streamKeys]);
        },
      ),
    );
  });

  it("never shows a password, however the URL is malformed", () => {
    const marks = ["hunterone", "huntertwo", "hunterthree"];
    const mess = fc.string({ unit: fc.constantFrom(..."/?#,@:%[]=& .-~+;\\<>\"'ä12aZ\n".split("")), maxLength: 4 });
    const scheme = fc.constantFrom(
      "redis://",
      "nats://",
      "REDIS://",
      "redis:/",
      "redis:",
      "redis//",
      "://",
      "",
      " redis://",
      "r s://",
      "redis:///",
    );
    const user = fc.oneof(fc.constantFrom("", ":", "user:", "us:er:", "user", "@", "u@x:"), mess);
    const rest = fc.oneof(
      fc
        .tuple(nodes, fc.constantFrom("", "/", "/orders", "/a/b", "/orders?mode=x", "?a=1&a=2", "/2/orders", "/orders#x"))
        .map(([hosts, tail]) => hosts.join(",") + tail),
      mess,
    );
    const password = fc.tuple(mess, mess, mess, mess).map(([a, b, c, d]) => `${a}${marks[0]}${b}${marks[1]}${c}${marks[2]}${d}`);
    fc.assert(
      fc.property(
        scheme,
        user,
        password,
        fc.boolean(),
        rest,
        fc.constantFrom(undefined, redisPath),
        (start, login, raw, encode, end, splitPath) => {
          const secret = encode ? encodeURIComponent(raw) : raw;
          const texts = everythingShown(() => parseStreamUrl(`${start}${login}${secret}@${end}`, splitPath));
          for (const text of texts) for (const mark of marks) expect(text).not.toContain(mark);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("of any text whatever is a URL or a StreamError", () => {
    const piece = fc.constantFrom(
      "redis",
      "://",
      "/",
      ":",
      "@",
      "?",
      "#",
      ",",
      "[",
      "]",
      "%",
      "%2F",
      "=",
      "&",
      ".ss",
      "h",
      "1",
      "..",
      "\u0000",
      "\ud800",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => `redis://${pieces.join("")}`),
        ),
        fc.constantFrom(undefined, redisPath, filePath),
        (text, splitPath) => {
          try {
            parseStreamUrl(text, splitPath);
          } catch (error) {
            expect(error).toBeInstanceOf(StreamError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** Every text by which the outcome could reach a log. */
function everythingShown(parse: () => StreamUrl): string[] {
  let outcome: StreamUrl | Error;
  try {
    outcome = parse();
    // What it makes of the query may fail as well, and name a parameter.
    optionsFromUrl(outcome.parameters, PORTABLE_OPTIONS, "redis", NO_OPTIONS);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    outcome = error;
  }
  const things = outcome instanceof Error ? [outcome, outcome.cause] : [outcome, outcome.uri, outcome.uri.nodes];
  return things.flatMap((thing) => [
    String(thing),
    JSON.stringify(thing) ?? "",
    inspect(thing, { depth: 9, showHidden: true }),
    inspect({ thing }, { depth: 9, customInspect: false }),
    thing instanceof Error ? (thing.stack ?? "") : JSON.stringify({ ...(thing as object) }),
  ]);
}
