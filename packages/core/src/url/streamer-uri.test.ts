import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { StreamerUri, StreamUrl } from "./streamer-uri.ts";

const withSecret = (): StreamerUri =>
  new StreamerUri({ scheme: "redis", nodes: ["h1:6379", "[::1]:6380", "h3"], username: "al/ice", password: "p@ss/w?rd", root: "2" });

describe("a streamer URI made from its parts", () => {
  it("takes credentials as they are", () => {
    const uri = withSecret();
    expect(uri.username).toBe("al/ice");
    expect(uri.password).toBe("p@ss/w?rd");
    expect(uri.authority).toBe("h1:6379,[::1]:6380,h3");
    expect(uri.nodes).toEqual([
      { host: "h1", port: 6379, text: "h1:6379" },
      { host: "::1", port: 6380, text: "[::1]:6380" },
      { host: "h3", text: "h3" },
    ]);
  });

  it("shows neither name nor password in any text", () => {
    const url = StreamUrl.of(withSecret(), "orders", { token: "p@ss/w?rd" });
    const shown = [withSecret(), url].flatMap((thing) => [
      String(thing),
      JSON.stringify(thing),
      JSON.stringify({ ...thing }),
      inspect(thing, { depth: 9, showHidden: true }),
      inspect({ thing }, { depth: 9, customInspect: false }),
    ]);
    for (const text of shown) expect(text).not.toMatch(/ice|p@ss|w\?rd/);
    expect(String(url)).toBe("redis://***@h1:6379,[::1]:6380,h3/2/orders");
    expect(JSON.stringify(url)).toBe('"redis://***@h1:6379,[::1]:6380,h3/2/orders"');
    expect(inspect(url)).toBe("StreamUrl redis://***@h1:6379,[::1]:6380,h3/2/orders");
    expect(inspect(withSecret())).toBe("StreamerUri redis://***@h1:6379,[::1]:6380,h3/2");
  });

  it("writes its root into the path, percent-encoded", () => {
    expect(String(new StreamerUri({ scheme: "memory" }))).toBe("memory://");
    expect(String(new StreamerUri({ scheme: "file", root: "/data/my file.ss" }))).toBe("file:///data/my%20file.ss");
    expect(String(new StreamerUri({ scheme: "file", root: "C:/x", path: "/C:/x" }))).toBe("file:///C:/x");
  });

  it.each(["", "h:0", "h:65536", "h:x", "h:", "::1", "[]", "[x]", "[::1]x", "a b", "a@b", "a/b", "h:1:2"])(
    "refuses the node %j",
    (node) => {
      expect(() => new StreamerUri({ scheme: "nats", nodes: [node] })).toThrow(/^invalid-url: nats:\/\/\*\*\*: a /);
    },
  );

  it.each(["", "Redis", "1a", "a b", "a:"])("refuses the scheme %j", (scheme) => {
    expect(() => new StreamerUri({ scheme })).toThrow(/^invalid-url: \*\*\*: a scheme/);
  });
});

describe("a stream URL made from a URI", () => {
  it("takes one key, several or none, and checks them", () => {
    const uri = new StreamerUri({ scheme: "nats", nodes: ["h"] });
    expect(StreamUrl.of(uri).streamKeys).toEqual([]);
    expect(StreamUrl.of(uri, "a").streamKeys).toEqual(["a"]);
    expect(String(StreamUrl.of(uri, ["a", "b"]))).toBe("nats://h/a,b");
    expect(() => StreamUrl.of(uri, "a b")).toThrow(/invalid-stream-key/);
  });

  it("keeps parameters, given either way", () => {
    const uri = new StreamerUri({ scheme: "nats", nodes: ["h"] });
    expect(StreamUrl.of(uri, [], { mode: "real-time" }).parameters.get("mode")).toBe("real-time");
    const url = StreamUrl.of(uri, [], new Map([["mode", "real-time"]]));
    expect(url.parameters.get("mode")).toBe("real-time");
    expect(StreamUrl.of(url, "orders").uri).toBe(uri);
  });
});
