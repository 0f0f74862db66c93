import { describe, expect, it } from "vitest";
import { fakeDriver, lasting } from "../../test/fake-driver.ts";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { ScriptedProducer } from "../../test/scripted-producer.ts";
import type { DriverConnection } from "../driver/driver.ts";
import type { StreamerEvent } from "../observe/event.ts";
import { connect } from "./connect.ts";
import type { Streamer } from "./streamer.ts";

async function streamerWith(
  connection: Partial<DriverConnection> = {},
  url = "fake://streamer",
): Promise<{ streamer: Streamer; clock: ManualClock; events: StreamerEvent[] }> {
  const clock = new ManualClock();
  const events: StreamerEvent[] = [];
  const streamer = await connect(url, { drivers: [fakeDriver({ connection })], clock, onEvent: (event) => events.push(event) });
  return { streamer, clock, events };
}

const never = (): Promise<never> => new Promise(() => {});

describe("closing a streamer", () => {
  it("flushes and closes what it made, once, and then the connection", async () => {
    const order: string[] = [];
    const driver = new ScriptedProducer();
    driver.close = async () => void order.push("producer");
    const { streamer } = await streamerWith({ openProducer: async () => driver, close: async () => void order.push("connection") });
    const producer = await streamer.createProducer("s");
    const consumer = await streamer.createConsumer("s");
    producer.enqueue("1");
    const closing = [streamer.close(), streamer.close()];
    await turns();
    expect(order).toEqual([]);
    driver.at(0).store();
    await Promise.all(closing);
    await producer.close();
    await streamer[Symbol.asyncDispose]();
    expect(order).toEqual(["producer", "connection"]);
    await expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
    for (const call of [streamer.createProducer("s"), streamer.createConsumer("s"), streamer.ping(), streamer.admin.listStreams()]) {
      await expect(call).rejects.toMatchObject({ code: "closed" });
    }
  });

  it("does not close again what was closed before", async () => {
    const driver = new ScriptedProducer();
    const { streamer } = await streamerWith({ openProducer: async () => driver });
    const producer = await streamer.createProducer("s");
    await producer.close();
    await streamer.close();
    expect(driver.closed).toBe(1);
  });

  it("reports every failure, and still closes the connection", async () => {
    let closed = 0;
    const driver = new ScriptedProducer();
    driver.close = async () => Promise.reject(new Error("producer stuck"));
    const close = async (): Promise<void> => {
      closed += 1;
      throw new Error("connection stuck");
    };
    const { streamer } = await streamerWith({ openProducer: async () => driver, close });
    await streamer.createProducer("s");
    await expect(streamer.close()).rejects.toThrow(/producer stuck; and then: .*connection stuck/);
    expect(closed).toBe(1);
  });

  it("gives back at once when it is aborted, goes on, and what it fails with then disturbs nobody", async () => {
    let closed = 0;
    const close = async (): Promise<void> => {
      closed += 1;
      throw lasting("stuck");
    };
    const { streamer } = await streamerWith({ close });
    await expect(streamer.close({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    // An unhandled rejection would fail this run.
    await turns(10);
    expect(closed).toBe(1);
    await expect(streamer.close()).rejects.toThrow("stuck");
  });

  it("gives up a connection that does not close within timeoutMs", async () => {
    const { streamer, clock } = await streamerWith({ close: never });
    const closing = expect(streamer.close()).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(10_000);
    await closing;
  });
});

describe("what is being created while the streamer closes", () => {
  it("is given up: its caller gets closed, the driver an abort", async () => {
    const aborted: boolean[] = [];
    const open: DriverConnection["openProducer"] = (_request, call) => {
      call.signal.addEventListener("abort", () => aborted.push(true));
      return never();
    };
    const { streamer } = await streamerWith({ openProducer: open, openConsumer: open as never });
    const creating = [streamer.createProducer("s"), streamer.createConsumer("s")].map((call) =>
      expect(call).rejects.toMatchObject({ code: "closed" }),
    );
    await turns();
    await streamer.close();
    await Promise.all(creating);
    expect(aborted).toEqual([true, true]);
  });

  it("is closed when it comes all the same", async () => {
    const opening = Promise.withResolvers<ScriptedProducer>();
    const driver = new ScriptedProducer();
    const { streamer, clock } = await streamerWith({ openProducer: () => opening.promise });
    const created = expect(streamer.createProducer("s")).rejects.toMatchObject({ code: "closed" });
    await turns();
    const closing = streamer.close();
    opening.resolve(driver);
    await Promise.all([closing, created]);
    await turns();
    expect([driver.closed, clock.pending]).toEqual([1, 0]);
  });
});

describe("creating", () => {
  it("rejects timeout within timeoutMs, its own or the streamer's, and closes what comes too late", async () => {
    const opening = Promise.withResolvers<ScriptedProducer>();
    const driver = new ScriptedProducer();
    const { streamer, clock } = await streamerWith({ openProducer: () => opening.promise, openConsumer: never });
    const details = { code: "timeout", retryable: true, phase: "setup", backend: "fake" };
    const producer = expect(streamer.createProducer("s", { timeoutMs: 100 })).rejects.toMatchObject(details);
    const consumer = expect(streamer.createConsumer("s")).rejects.toMatchObject({ ...details, streamKey: "s" });
    await clock.advance(100);
    await producer;
    opening.resolve(driver);
    await turns();
    expect(driver.closed).toBe(1);
    await clock.advance(9_900);
    await consumer;
    expect(clock.pending).toBe(0);
  });

  it("takes the streams and options of the URL, where code wins", async () => {
    const { streamer } = await streamerWith({}, "fake://urls/a?shards=3&autoStreamReset=earliest");
    expect(streamer.streamKeys).toEqual(["a"]);
    const producer = await streamer.createProducer();
    expect(producer.streamKey).toBe("a");
    expect((await streamer.admin.streamInfo("a")).shards).toHaveLength(3);
    expect((await streamer.createConsumer()).start).toMatchObject([{ origin: "earliest" }, { origin: "earliest" }, { origin: "earliest" }]);
    expect((await streamer.createConsumer("a", { autoStreamReset: "latest" })).start[0]).toMatchObject({ origin: "latest" });
    await streamer.createProducer("b", { shards: 2 });
    expect((await streamer.admin.streamInfo("b")).shards).toHaveLength(2);
    await streamer.close();
  });

  it("refuses another shard count than the stream has, and counts that cannot be one", async () => {
    const { streamer } = await streamerWith({}, "fake://counts");
    await streamer.admin.createStream("s", { shards: 2 });
    await expect(streamer.createProducer("s", { shards: 3 })).rejects.toMatchObject({ code: "invalid-option", streamKey: "s" });
    for (const shards of [0, 1.5, 65_537]) {
      const refused = { code: "invalid-option", message: expect.stringContaining("1 to 65536") };
      await expect(streamer.createProducer("s", { shards })).rejects.toMatchObject(refused);
      await expect(streamer.createConsumer("s", { shards })).rejects.toMatchObject(refused);
      await expect(streamer.admin.createStream("t", { shards })).rejects.toMatchObject(refused);
    }
    await streamer.close();
  });

  it("refuses empty key lists, mistaken keys and mistaken groups with their codes", async () => {
    const { streamer } = await streamerWith();
    await expect(streamer.createConsumer()).rejects.toMatchObject({ code: "stream-key-empty", phase: "setup" });
    await expect(streamer.createConsumer([])).rejects.toMatchObject({ code: "stream-key-empty" });
    await expect(streamer.createConsumer("a..b")).rejects.toMatchObject({ code: "invalid-stream-key" });
    await expect(streamer.createProducer(".a")).rejects.toMatchObject({ code: "invalid-stream-key", phase: "setup" });
    await expect(streamer.createConsumer("a", { group: "g" })).rejects.toMatchObject({ code: "group-is-set" });
    await expect(streamer.createConsumer("a", { mode: "load-balanced" })).rejects.toMatchObject({ code: "group-not-set" });
    await streamer.close();
  });
});

describe("admin", () => {
  it("refuses what the backend does not claim, with its reason, before it is called", async () => {
    const drivers = [
      fakeDriver({
        capabilities: { admin: ["createStream"], shards: false, retention: false, reasons: { listStreams: "there is no list" } },
      }),
    ];
    await using streamer = await connect("fake://admin", { drivers });
    await expect(streamer.admin.listStreams()).rejects.toMatchObject({
      code: "unsupported",
      backend: "fake",
      message: "unsupported: listStreams on fake: there is no list",
    });
    await expect(streamer.admin.createStream("s", { retention: { maxMessages: 1 } })).rejects.toMatchObject({ code: "unsupported" });
    await expect(streamer.admin.createStream("s", { shards: 2 })).rejects.toMatchObject({ code: "unsupported" });
    await expect(streamer.admin.createStream("s")).resolves.toEqual({ shards: 1 });
    await expect(streamer.admin.createStream("s", { shard: 2 } as object)).rejects.toMatchObject({ code: "invalid-option" });
  });

  it("checks names before it asks anybody", async () => {
    const { streamer } = await streamerWith();
    for (const call of [
      streamer.admin.deleteStream("!"),
      streamer.admin.streamInfo("!"),
      streamer.admin.trim("!", "end"),
      streamer.admin.listGroups("!"),
    ]) {
      await expect(call).rejects.toMatchObject({ code: "invalid-stream-key" });
    }
    await streamer.close();
  });

  it("is bounded by timeoutMs and the caller's signal", async () => {
    const { streamer, clock } = await streamerWith({ ensureStream: never });
    const slow = expect(streamer.admin.createStream("s", { timeoutMs: 50 })).rejects.toMatchObject({
      code: "timeout",
      streamKey: "s",
      backend: "fake",
    });
    await clock.advance(50);
    await slow;
    await expect(streamer.admin.createStream("s", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    await expect(streamer.admin.listStreams({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    await streamer.close();
  });

  it("takes shards from the URL, and from code before that", async () => {
    const { streamer } = await streamerWith({}, "fake://admin-shards?shards=3");
    expect(await streamer.admin.createStream("a")).toEqual({ shards: 3 });
    expect(await streamer.admin.createStream("b", { shards: 2 })).toEqual({ shards: 2 });
    await streamer.close();
  });
});

describe("an event", () => {
  it("tells of a stream that was made because somebody named it", async () => {
    const { streamer, events } = await streamerWith({}, "fake://events");
    await streamer.createProducer("typo");
    expect(events).toMatchObject([{ code: "stream-created", level: "warn", streamKey: "typo", backend: "fake" }]);
    await streamer.close();
  });
});
