import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { FakeFailure, fakeDriver, lasting } from "../../test/fake-driver.ts";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import type { Driver, DriverConnection } from "../driver/driver.ts";
import { memoryDriver } from "../memory/driver.ts";
import { connectChannel } from "../observe/channels.ts";
import type { StreamerEvent } from "../observe/event.ts";
import { StreamerUri, StreamUrl } from "../url/streamer-uri.ts";
import { connect } from "./connect.ts";

const never = (): Promise<never> => new Promise(() => {});

describe("connect", () => {
  it("takes the driver that it is given before any other", async () => {
    const own = fakeDriver({ name: "memory" });
    await using streamer = await connect("memory://a", { drivers: [fakeDriver(), own] });
    expect(streamer.backend).toBe("memory");
    await using other = await connect("fake://a", { drivers: [own, fakeDriver()] });
    expect(other.backend).toBe("fake");
  });

  it("takes a URL in parts as well", async () => {
    const uri = new StreamerUri({ scheme: "memory", nodes: ["parts"] });
    await using byUri = await connect(uri);
    await using byUrl = await connect(StreamUrl.of(uri, ["orders"]));
    expect(byUri.streamKeys).toEqual([]);
    expect(byUrl.streamKeys).toEqual(["orders"]);
  });

  it("passes driver options of URL and code on, where code wins", async () => {
    let given: unknown;
    const driver = fakeDriver({
      options: { connect: { speed: "number", colour: "text" } },
      open: (uri, context, call) => {
        given = { options: context.options, clientName: context.clientName };
        return memoryDriver.open(uri, context, call);
      },
    });
    const options = { drivers: [driver], clientName: "billing", fake: { speed: 2 } };
    await using _ = await connect("fake://h?speed=1&fake.colour=red&clientName=other", options);
    expect(given).toEqual({ options: { speed: 2, colour: "red" }, clientName: "billing" });
  });

  it("refuses options and parameters that nobody knows, and lets those of other drivers be", async () => {
    await expect(connect("memory://h?colour=red")).rejects.toMatchObject({ code: "invalid-option", phase: "setup" });
    await expect(connect("memory://h", { colour: "red" } as object)).rejects.toMatchObject({ code: "invalid-option" });
    await expect(connect("memory://h", "options" as unknown as object)).rejects.toThrow(TypeError);
    const options = { drivers: [fakeDriver()], redis: { any: 1 }, fake: { thing: 1 } } as object;
    await using _ = await connect("memory://h", options);
  });

  it("says that drivers takes drivers, where it was given factories", async () => {
    await expect(connect("memory://h", { drivers: [fakeDriver as unknown as Driver] })).rejects.toThrow(
      /^drivers is a list of drivers: call the factories/,
    );
  });
});

describe("a connection that cannot be made", () => {
  it("is connect-failed, unless the driver knows better", async () => {
    const cause = new Error("ECONNREFUSED");
    const failing = (error: unknown): Driver => fakeDriver({ open: async () => Promise.reject(error) });
    await expect(connect("fake://h", { drivers: [failing(cause)] })).rejects.toMatchObject({
      code: "connect-failed",
      backend: "fake",
      phase: "setup",
      cause,
      message: "connect-failed: connecting to fake://h: ECONNREFUSED",
    });
    const refused = new FakeFailure("WRONGPASS", { code: "auth-failed" });
    await expect(connect("fake://h", { drivers: [failing(refused)] })).rejects.toMatchObject({ code: "auth-failed", retryable: false });
  });

  it("is connect-failed, retryable, after timeoutMs, whether or not the driver listens", async () => {
    const clock = new ManualClock();
    const connecting = connect("fake://h", { drivers: [fakeDriver({ open: never })], clock, timeoutMs: 500 });
    const rejection = expect(connecting).rejects.toMatchObject({
      code: "connect-failed",
      retryable: true,
      backend: "fake",
      phase: "setup",
    });
    await clock.advance(500);
    await rejection;
    expect(clock.pending).toBe(0);
  });

  it("is given up with the caller's signal", async () => {
    const controller = new AbortController();
    const connecting = connect("fake://h", { drivers: [fakeDriver({ open: never })], signal: controller.signal });
    const rejection = expect(connecting).rejects.toMatchObject({ code: "aborted", phase: "setup" });
    await turns();
    controller.abort();
    await rejection;
    await expect(connect("memory://h", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("a connection that comes too late", () => {
  async function openLate(close: DriverConnection["close"]): Promise<{ events: StreamerEvent[]; clock: ManualClock }> {
    const clock = new ManualClock();
    const opening = Promise.withResolvers<DriverConnection>();
    const events: StreamerEvent[] = [];
    const driver = fakeDriver({ open: () => opening.promise });
    const connecting = connect("fake://h", { drivers: [driver], clock, timeoutMs: 500, onEvent: (event) => events.push(event) });
    connecting.catch(() => undefined);
    await clock.advance(500);
    opening.resolve({ close } as DriverConnection);
    await turns();
    return { events, clock };
  }

  it("is closed, with time of its own to do so", async () => {
    const calls: boolean[] = [];
    const { clock } = await openLate(async (call) => void calls.push(call.signal.aborted));
    expect(calls).toEqual([false]);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ["rejects", async () => Promise.reject(lasting("stuck"))],
    [
      "throws",
      () => {
        throw lasting("stuck");
      },
    ],
  ])("publishes an event when closing it %s", async (_how, close) => {
    const { events } = await openLate(close);
    expect(events).toMatchObject([{ code: "late-close-failed", level: "warn", error: { message: "stuck" } }]);
  });

  it("does not wait for ever for one that cannot be closed", async () => {
    const { events, clock } = await openLate(never);
    await clock.advance(500);
    expect(events).toMatchObject([{ code: "late-close-failed" }]);
    expect(clock.pending).toBe(0);
  });
});

describe("a password", () => {
  const PASSWORD = "p@ss/w0rd$";
  const WRITTEN = "p%40ss%2fw0rd$";
  const url = `fake://ann:${WRITTEN}@h`;

  /** As clients do: the password in texts, causes, nested objects and URLs. */
  function gossip(): Error {
    const inner = Object.assign(new Error(`dial redis://ann:${encodeURIComponent(PASSWORD)}@h`), { args: ["AUTH", PASSWORD] });
    return Object.assign(new FakeFailure(`AUTH ann ${PASSWORD} refused by ${url}`, { retryable: true }), {
      cause: inner,
      config: { connection: { options: new Map([["password", PASSWORD]]) } },
    });
  }

  function expectHidden(value: unknown): void {
    const shown = `${inspect(value, { depth: 12, showHidden: true })} ${String(value)} ${value instanceof Error ? value.stack : ""}`;
    for (const secret of [PASSWORD, WRITTEN, "p%40ss%2Fw0rd", "w0rd"]) expect(shown).not.toContain(secret);
  }

  const listeners: (() => void)[] = [];
  afterEach(() => {
    for (const stop of listeners.splice(0)) stop();
  });

  it("reaches no error while connecting, no trace, and no event", async () => {
    const traces: unknown[] = [];
    const record = (trace: unknown): void => void traces.push(trace);
    connectChannel.subscribe({ start: record, end: record, asyncStart: record, asyncEnd: record, error: record });
    listeners.push(() => connectChannel.unsubscribe({ start: record, end: record, asyncStart: record, asyncEnd: record, error: record }));
    const events: StreamerEvent[] = [];
    const driver = fakeDriver({
      open: async (_uri, context) => {
        context.onEvent({ code: "reconnecting", level: "error", message: `again ${PASSWORD}`, error: gossip() });
        throw gossip();
      },
    });
    const error = await connect(url, { drivers: [driver], onEvent: (event) => events.push(event) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "connect-failed", retryable: true });
    expect(events).toHaveLength(1);
    expect(traces.length).toBeGreaterThan(0);
    for (const each of [error, ...events, ...traces]) expectHidden(each);
  });

  it("reaches no error of a producer, a consumer, admin, ping or close, and no inspected object", async () => {
    const fail = async (): Promise<never> => Promise.reject(gossip());
    const driver = fakeDriver({
      connection: {
        ping: fail,
        close: fail,
        openConsumer: fail,
        openProducer: async () => ({ limits: { batchMessages: 9, batchBytes: 9999, batchesInFlight: 1 }, send: fail, close: fail }),
      },
    });
    const streamer = await connect(url, { drivers: [driver] });
    const producer = await streamer.createProducer("s", { sendTimeoutMs: 1 });
    const errors = await Promise.all(
      [
        streamer.ping(),
        streamer.createConsumer("s"),
        streamer.admin.deleteStream("missing"),
        producer.send("x"),
        producer.close(),
        streamer.close(),
      ].map((call) =>
        call.then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    for (const error of errors) expect(error).toBeInstanceOf(Error);
    for (const each of [...errors, streamer, producer, streamer.admin]) expectHidden(each);
  });

  it("among a driver's options is hidden as well", async () => {
    const driver = fakeDriver({
      options: { connect: { token: "text" } },
      open: async () => Promise.reject(new Error("token t0ken-9 expired")),
    });
    const error = await connect("fake://h?token=t0ken-9", { drivers: [driver] }).catch((thrown: unknown) => thrown);
    expect(inspect(error)).not.toContain("t0ken-9");
  });
});

describe("seaway:connect", () => {
  it("is traced without credentials, with its end", async () => {
    const seen: string[] = [];
    const handlers = {
      start: (trace: { readonly url: string }) => void seen.push(`start ${trace.url}`),
      asyncEnd: () => void seen.push("end"),
      error: () => void seen.push("error"),
      end: () => undefined,
      asyncStart: () => undefined,
    };
    connectChannel.subscribe(handlers);
    try {
      await using _ = await connect("memory://ann:secret@h/orders");
      await connect("memory://h?nonsense=1").catch(() => undefined);
    } finally {
      connectChannel.unsubscribe(handlers);
    }
    expect(seen).toEqual(["start memory://***", "end", "start memory://***", "error", "end"]);
  });
});
