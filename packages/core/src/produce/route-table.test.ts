import { describe, expect, it } from "vitest";
import { turns } from "../../test/manual-clock.ts";
import { StreamError } from "../error/stream-error.ts";
import { RouteTable } from "./route-table.ts";
import { StreamRoute } from "./stream-route.ts";

const route = (key: string): StreamRoute => new StreamRoute(key, { shards: 1 }, 1000, undefined);

describe("a stream that has to be looked up", () => {
  it("is looked up once, and what waits goes in order, before anything later", async () => {
    const lookups = new Map<string, PromiseWithResolvers<StreamRoute>>();
    const table = new RouteTable((key) => {
      const lookup = Promise.withResolvers<StreamRoute>();
      expect(lookups.has(key)).toBe(false);
      lookups.set(key, lookup);
      return lookup.promise;
    });
    const went: string[] = [];
    for (const name of ["1", "2"])
      table.whenKnown(
        "a",
        () => void went.push(`a${name}`),
        () => {},
      );
    table.whenKnown(
      "b",
      () => void went.push("b1"),
      () => {},
    );
    expect(went).toEqual([]);
    lookups.get("a")?.resolve(route("a"));
    await turns();
    expect(went).toEqual(["a1", "a2"]);
    expect(table.get("a")?.streamKey).toBe("a");
    expect(table.get("b")).toBeUndefined();
    table.whenKnown(
      "a",
      () => void went.push("a3"),
      () => {},
    );
    expect(went).toEqual(["a1", "a2", "a3"]);
  });

  it("fails all that waits, and is looked up again by the next", async () => {
    let tries = 0;
    const error = new StreamError("timeout", "slow");
    const table = new RouteTable(async (key) => {
      tries += 1;
      if (tries === 1) throw error;
      return route(key);
    });
    const outcomes: unknown[] = [];
    for (let i = 0; i < 2; i++)
      table.whenKnown(
        "a",
        () => {},
        (failure) => outcomes.push(failure),
      );
    await turns();
    expect(outcomes).toEqual([error, error]);
    table.whenKnown(
      "a",
      (found) => outcomes.push(found.streamKey),
      () => {},
    );
    await turns();
    expect([outcomes[2], tries]).toEqual(["a", 2]);
  });

  it("keeps at most 100,000 waiting; more fail with buffer-full", () => {
    const table = new RouteTable(() => new Promise(() => {}));
    const failures: StreamError[] = [];
    for (let i = 0; i < 100_001; i++)
      table.whenKnown(
        "a",
        () => {},
        (error) => failures.push(error),
      );
    expect(failures).toMatchObject([{ code: "buffer-full", retryable: true, streamKey: "a" }]);
  });
});

describe("a route", () => {
  it("takes shards in turn without a key, by the key's hash with one, and as it is told", () => {
    const sharded = new StreamRoute("s", { shards: 4 }, 1000, undefined);
    expect(Array.from({ length: 5 }, () => sharded.lane(undefined, undefined, "x").shardId)).toEqual([0, 1, 2, 3, 0]);
    const key = new Uint8Array([1, 2, 3]);
    expect(sharded.lane(key, undefined, "x")).toBe(sharded.lane(key, undefined, "y"));
    expect(sharded.lane(key, 2, "x").shardId).toBe(2);
  });

  it.each([-1, 4, 1.5, Number.NaN])("refuses the shard %d, whoever chose it", (shard) => {
    const given = new StreamRoute("s", { shards: 4 }, 1000, undefined);
    expect(() => given.lane(undefined, shard, "x")).toThrow(/^invalid-option: shard is .*shards 0 to 3/);
    const chosen = new StreamRoute("s", { shards: 4 }, 1000, () => shard);
    expect(() => chosen.lane(undefined, undefined, "x")).toThrow(/^invalid-option: the sharder chose/);
  });
});
