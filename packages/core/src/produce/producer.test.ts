import { tracingChannel } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { fakeDriver, lasting, passing } from "../../test/fake-driver.ts";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { ScriptedProducer } from "../../test/scripted-producer.ts";
import { connect } from "../connect/connect.ts";
import type { DriverConnection } from "../driver/driver.ts";
import { json } from "../message/codec.ts";
import type { SendTrace } from "../observe/channels.ts";
import type { Producer } from "./producer.ts";
import type { OutgoingEntry, ProducerMiddleware, ProducerOptions } from "./producer-options.ts";

interface Rig<T> {
  readonly producer: Producer<T>;
  readonly driver: ScriptedProducer;
  readonly clock: ManualClock;
}

async function producerOn<T = string | Uint8Array>(
  driver: ScriptedProducer,
  options: ProducerOptions<T> = {},
  connection: Partial<DriverConnection> = {},
  streamKey = "s",
): Promise<Rig<T>> {
  const clock = new ManualClock();
  const drivers = [fakeDriver({ connection: { openProducer: async () => driver, ...connection } })];
  const streamer = await connect("fake://produce", { drivers, clock });
  return { producer: await streamer.createProducer<T>(streamKey === "none" ? undefined : streamKey, options), driver, clock };
}

/** A backend that stores everything at once. */
class Willing extends ScriptedProducer {
  override send(...call: Parameters<ScriptedProducer["send"]>): ReturnType<ScriptedProducer["send"]> {
    const sent = super.send(...call);
    this.at(-1).store();
    return sent;
  }
}

/** A backend that refuses everything. */
class Unwilling extends ScriptedProducer {
  override send(...call: Parameters<ScriptedProducer["send"]>): ReturnType<ScriptedProducer["send"]> {
    const sent = super.send(...call);
    this.at(-1).settleAll({ stored: false, error: lasting() });
    return sent;
  }
}

const many = (limits = {}): ScriptedProducer => new Willing({ batchMessages: 1000, ...limits });

describe("flush", () => {
  it("throws what enqueue could not send, counted, once", async () => {
    const { producer } = await producerOn(new Unwilling());
    for (let i = 0; i < 12; i++) producer.enqueue(String(i));
    await expect(producer.flush()).rejects.toMatchObject({
      code: "backend",
      message: expect.stringMatching(/^backend: 12 messages were not stored, the first because: .*refused/),
    });
    await producer.flush();
  });

  it("does not tell again what send reported", async () => {
    const { producer } = await producerOn(new Unwilling());
    const sent = producer.send("1");
    await expect(sent).rejects.toMatchObject({ code: "backend" });
    await producer.flush();
  });

  it("can be given up; what enqueue could not send is kept for the next", async () => {
    const driver = new ScriptedProducer();
    const { producer } = await producerOn(driver);
    producer.enqueue("1");
    const controller = new AbortController();
    const flushed = producer.flush({ signal: controller.signal });
    await turns();
    controller.abort();
    await expect(flushed).rejects.toMatchObject({ code: "aborted" });
    driver.at(0).settleAll({ stored: false, error: lasting() });
    await expect(producer.flush()).rejects.toMatchObject({ code: "backend" });
  });

  it("waits for sends that wait for their stream, and for middleware", async () => {
    const lookup = Promise.withResolvers<{ shards: number }>();
    const gate = Promise.withResolvers<void>();
    const middleware: ProducerMiddleware<string | Uint8Array>[] = [
      async (message, next) => {
        if (message.streamKey === "s") await gate.promise;
        return next(message);
      },
    ];
    const ensureStream = (key: string): Promise<{ shards: number }> => (key === "s" ? Promise.resolve({ shards: 1 }) : lookup.promise);
    const { producer } = await producerOn(many(), { middleware }, { ensureStream });
    const settled: string[] = [];
    void producer.sendTo("other", "1").then(() => settled.push("1"));
    void producer.send("2").then(() => settled.push("2"));
    const flushed = producer.flush().then(() => settled.push("flushed"));
    await turns();
    expect(settled).toEqual([]);
    gate.resolve();
    await turns();
    expect(settled).toEqual(["2"]);
    lookup.resolve({ shards: 1 });
    await flushed;
    expect(settled).toEqual(["2", "1", "flushed"]);
  });
});

describe("enqueue", () => {
  it("throws mistakes of the program at once", async () => {
    const { producer } = await producerOn(many());
    expect(() => producer.enqueue({} as string)).toThrow(TypeError);
    expect(() => producer.enqueue("x", { headers: { "seaway-x": "1" } })).toThrow(TypeError);
    const { producer: floating } = await producerOn(many(), {}, {}, "none");
    expect(() => floating.enqueue("x")).toThrow(expect.objectContaining({ code: "not-anchored" }));
    await producer.close();
    expect(() => producer.enqueue("x")).toThrow(expect.objectContaining({ code: "closed" }));
  });

  it("counts what is wrong with a message, for flush", async () => {
    const { producer } = await producerOn(many(), { codec: json(), maxMessageBytes: 5 });
    producer.enqueue("too large");
    producer.enqueue(undefined);
    await expect(producer.flush()).rejects.toMatchObject({ code: "message-too-large", message: expect.stringContaining("2 messages") });
  });
});

describe("close", () => {
  it("flushes, closes the driver's half once, and takes nothing more", async () => {
    const driver = many();
    const { producer } = await producerOn(driver);
    producer.enqueue("1");
    const [first, second] = [producer.close(), producer.end()];
    await expect(producer.send("2")).rejects.toMatchObject({ code: "closed" });
    await Promise.all([first, second]);
    expect([driver.closed, driver.texts]).toEqual([1, [["1"]]]);
    await producer[Symbol.asyncDispose]();
  });

  it("tells what enqueue could not send, and still closes", async () => {
    const driver = new Unwilling();
    const { producer } = await producerOn(driver);
    producer.enqueue("1");
    await expect(producer.close()).rejects.toMatchObject({ code: "backend" });
    expect(driver.closed).toBe(1);
  });

  it("reports both when the closing fails as well", async () => {
    const driver = new Unwilling();
    driver.close = async () => Promise.reject(new Error("stuck"));
    const { producer } = await producerOn(driver);
    producer.enqueue("1");
    await expect(producer.close()).rejects.toThrow(/refused; and then: backend: closing the producer: stuck/);
  });

  it("gives back at once when it is aborted; what it fails with then disturbs nobody", async () => {
    const driver = new ScriptedProducer();
    const { producer } = await producerOn(driver);
    producer.enqueue("1");
    await expect(producer.close({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    await turns();
    driver.at(0).settleAll({ stored: false, error: lasting() });
    // An unhandled rejection would fail this run.
    await turns(10);
    await expect(producer.close()).rejects.toMatchObject({ code: "backend" });
  });

  it("gives up a driver that does not close within timeoutMs", async () => {
    const driver = many();
    driver.close = () => new Promise(() => {});
    const { producer, clock } = await producerOn(driver, { timeoutMs: 100 });
    const closed = expect(producer.close()).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(100);
    await closed;
  });
});

describe("anchor", () => {
  it("is once, and looked up then", async () => {
    const { producer } = await producerOn(many(), {}, {}, "none");
    await expect(producer.send("1")).rejects.toMatchObject({ code: "not-anchored" });
    const first = producer.anchor("a");
    await expect(producer.anchor("b")).rejects.toMatchObject({ code: "already-anchored" });
    await first;
    expect(producer.streamKey).toBe("a");
    await expect(producer.anchor("b")).rejects.toMatchObject({ code: "already-anchored" });
    expect(await producer.send("1")).toMatchObject({ streamKey: "a" });
  });

  it("can be tried again after it failed, and can be given up", async () => {
    let tries = 0;
    const ensureStream = async (): Promise<{ shards: number }> => {
      tries += 1;
      if (tries === 1) throw passing();
      return tries === 2 ? new Promise(() => {}) : { shards: 1 };
    };
    const { producer } = await producerOn(many(), {}, { ensureStream }, "none");
    await expect(producer.anchor("a")).rejects.toMatchObject({ code: "backend", streamKey: "a" });
    await expect(producer.anchor("!")).rejects.toMatchObject({ code: "invalid-stream-key" });
    const controller = new AbortController();
    const anchored = producer.anchor("a", { signal: controller.signal });
    controller.abort();
    await expect(anchored).rejects.toMatchObject({ code: "aborted" });
    await producer.anchor("b");
    expect(producer.streamKey).toBe("b");
  });
});

describe("the signal given at creation", () => {
  it("gives up creating, and nothing that is looked up later", async () => {
    const controller = new AbortController();
    const { producer } = await producerOn(many(), { signal: controller.signal });
    controller.abort();
    expect(await producer.sendTo("other", "1")).toMatchObject({ streamKey: "other" });
    await expect(producerOn(many(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted", phase: "setup" });
  });
});

describe("middleware", () => {
  const trail: string[] = [];
  afterEach(() => void trail.splice(0));

  const note =
    (name: string): ProducerMiddleware<string> =>
    async (message, next) => {
      trail.push(`${name} before ${message.value}`);
      const receipt = await next({ ...message, value: `${message.value}+${name}` });
      trail.push(`${name} after`);
      return receipt;
    };

  it("runs around every way of sending, the first outermost, and what it changes is sent", async () => {
    const driver = many();
    const options = { codec: { encode: (value: string) => Buffer.from(value) }, middleware: [note("a"), note("b")] };
    const { producer } = await producerOn<string>(driver, options);
    await producer.send("1");
    expect(trail).toEqual(["a before 1", "b before 1+a", "b after", "a after"]);
    await producer.sendTo("other", "2", { key: "k" });
    producer.enqueue("3");
    await producer.flush();
    await producer.sendMany([{ value: "4" }, { value: "5", streamKey: "third" }]);
    await producer.pipeFrom([{ value: "6" }]);
    const writer = producer.writable().getWriter();
    await writer.write({ value: "7" });
    await writer.close();
    expect(driver.texts.flat()).toEqual(["1+a+b", "2+a+b", "3+a+b", "4+a+b", "5+a+b", "6+a+b", "7+a+b"]);
    expect(driver.batches.flatMap((batch) => batch.messages.map((message) => message.streamKey))).toEqual([
      "s",
      "other",
      "s",
      "s",
      "third",
      "s",
      "s",
    ]);
  });

  it("may send elsewhere, add headers, and refuse", async () => {
    const driver = many();
    const middleware: ProducerMiddleware<string | Uint8Array>[] = [
      async (message, next) => {
        if (message.value === "bad") throw new RangeError("refused");
        return next({ ...message, streamKey: "elsewhere", headers: { traced: "yes" } });
      },
    ];
    const { producer } = await producerOn(driver, { middleware });
    expect(await producer.send("good")).toMatchObject({ streamKey: "elsewhere" });
    expect(driver.at(0).messages[0]?.headers).toEqual([["traced", "yes"]]);
    await expect(producer.send("bad")).rejects.toThrow(RangeError);
    producer.enqueue("bad");
    await expect(producer.flush()).rejects.toThrow("refused");
    expect(await producer.sendMany([{ value: "bad" }, { value: "good" }])).toMatchObject([{ status: "rejected" }, { status: "fulfilled" }]);
  });

  it("keeps the order of what it passes on at once", async () => {
    const driver = many();
    const { producer } = await producerOn(driver, { middleware: [(message, next) => next(message)] });
    await Promise.all([producer.send("1"), producer.sendTo("other", "2"), producer.send("3"), producer.sendTo("other", "4")]);
    expect(driver.stored.get("s/0")).toEqual(["1", "3"]);
    expect(driver.stored.get("other/0")).toEqual(["2", "4"]);
  });

  it("is not reached by options that are wrong", async () => {
    const { producer } = await producerOn(many(), { middleware: [note("a") as ProducerMiddleware<string | Uint8Array>] });
    await expect(producer.send("1", { kye: "k" } as object)).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining("key"),
    });
    await expect(producer.send("1", { delayMs: 5 } as object)).rejects.toMatchObject({ code: "unsupported" });
    expect(trail).toEqual([]);
  });
});

describe("sends to a stream that has to be looked up", () => {
  it("go out in their order, and before later ones", async () => {
    const lookup = Promise.withResolvers<{ shards: number }>();
    const driver = many();
    const ensureStream = (key: string): Promise<{ shards: number }> => (key === "s" ? Promise.resolve({ shards: 1 }) : lookup.promise);
    const { producer } = await producerOn(driver, {}, { ensureStream });
    const sends = [producer.sendTo("o", "1"), producer.sendTo("o", "2")];
    await turns();
    lookup.resolve({ shards: 1 });
    sends.push(lookup.promise.then(() => producer.sendTo("o", "3")));
    await Promise.all(sends);
    expect(driver.stored.get("o/0")).toEqual(["1", "2", "3"]);
  });

  it("reject with why it was not found, and the next tries again", async () => {
    let there = false;
    const ensureStream = async (key: string): Promise<{ shards: number }> => {
      if (key === "o" && !there) throw lasting("nowhere");
      return { shards: 1 };
    };
    const { producer } = await producerOn(many(), {}, { ensureStream });
    await expect(producer.sendTo("o", "1")).rejects.toMatchObject({
      code: "backend",
      streamKey: "o",
      message: expect.stringContaining("nowhere"),
    });
    await expect(producer.sendTo("!", "1")).rejects.toMatchObject({ code: "invalid-stream-key" });
    there = true;
    expect(await producer.sendTo("o", "1")).toMatchObject({ streamKey: "o" });
  });
});

describe("sendMany", () => {
  it("gives one result for each entry, at its place, and a bad message fails alone", async () => {
    const { producer } = await producerOn(many(), { maxMessageBytes: 3 });
    const results = await producer.sendMany([
      { value: "1" },
      { value: "long" },
      { value: 5 as unknown as string },
      { value: "4", streamKey: "o" },
    ]);
    expect(
      results.map((result) =>
        result.status === "fulfilled" ? result.value.streamKey : ((result.reason as { code?: string }).code ?? "TypeError"),
      ),
    ).toEqual(["s", "message-too-large", "TypeError", "o"]);
    expect(await producer.sendMany([])).toEqual([]);
  });

  it.each([["text"], [5], [null], [{ key: "no value" }]])(
    "rejects with a TypeError for the entry %j, after what was sent before it is settled",
    async (entry) => {
      const driver = new ScriptedProducer();
      const { producer } = await producerOn(driver);
      let rejected: unknown;
      const sent = producer.sendMany([{ value: "1" }, entry as unknown as OutgoingEntry<string>]).catch((error: unknown) => {
        rejected = error;
      });
      await turns();
      expect(rejected).toBeUndefined();
      driver.at(0).store();
      await sent;
      expect(rejected).toBeInstanceOf(TypeError);
    },
  );

  it("rejects with what the iterable throws, after what was sent is settled", async () => {
    const { producer, driver } = await producerOn(many());
    const mistake = new Error("mine");
    function* entries(): Generator<OutgoingEntry<string>> {
      yield { value: "1" };
      throw mistake;
    }
    await expect(producer.sendMany(entries())).rejects.toBe(mistake);
    expect(driver.texts).toEqual([["1"]]);
  });

  it("waits while there is too much, and can be given up then", async () => {
    const driver = new ScriptedProducer({ batchMessages: 100 });
    const { producer } = await producerOn(driver, { highWaterBytes: 1200 });
    const asked: number[] = [];
    function* entries(): Generator<OutgoingEntry<string>> {
      for (let i = 0; i < 10; i++) {
        asked.push(i);
        yield { value: String(i) };
      }
    }
    const controller = new AbortController();
    const sent = producer.sendMany(entries(), { signal: controller.signal });
    await turns();
    expect([asked.length, producer.needsDrain]).toEqual([3, true]);
    driver.at(0).store();
    await turns();
    expect(asked).toHaveLength(6);
    controller.abort();
    driver.at(1).store();
    await expect(sent).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("pipeFrom", () => {
  async function* source(count: number): AsyncGenerator<OutgoingEntry<string>> {
    for (let i = 0; i < count; i++) yield { value: String(i) };
  }

  it("counts what was stored and what failed, and does not stop for a failure", async () => {
    const { producer } = await producerOn(many(), { maxMessageBytes: 1 });
    expect(await producer.pipeFrom(source(12))).toEqual({ sent: 10, failed: 2 });
    expect(await producer.pipeFrom([{ value: "1" }])).toEqual({ sent: 1, failed: 0 });
    // What it reported, flush does not tell again.
    await producer.flush();
  });

  it("takes no more than fits while the backend is slow", async () => {
    const driver = new ScriptedProducer({ batchMessages: 100 });
    const { producer } = await producerOn(driver, { highWaterBytes: 1200 });
    const piped = producer.pipeFrom(source(5));
    await turns();
    expect(driver.texts.flat()).toHaveLength(3);
    driver.at(0).store();
    await turns();
    driver.at(1).store();
    expect(await piped).toEqual({ sent: 5, failed: 0 });
  });

  it("rejects with what the iterable throws, after what was sent is settled", async () => {
    const { producer, driver } = await producerOn(many());
    const mistake = new Error("mine");
    async function* entries(): AsyncGenerator<OutgoingEntry<string>> {
      yield { value: "1" };
      throw mistake;
    }
    await expect(producer.pipeFrom(entries())).rejects.toBe(mistake);
    expect(driver.texts).toEqual([["1"]]);
    await expect(producer.pipeFrom(["bare"] as unknown as OutgoingEntry<string>[])).rejects.toThrow(TypeError);
  });

  it("ends with the producer, also for an endless iterable", async () => {
    const { producer } = await producerOn(many());
    function* endless(): Generator<OutgoingEntry<string>> {
      for (;;) yield { value: "x" };
    }
    const piped = producer.pipeFrom(endless());
    const rejection = expect(piped).rejects.toMatchObject({ code: "closed" });
    await turns();
    await producer.close();
    await rejection;
    await expect(producer.pipeFrom(endless())).rejects.toMatchObject({ code: "closed" });
  });

  it("lets the event loop turn, whatever it is given", async () => {
    const { producer } = await producerOn(many(), { maxMessageBytes: 0 });
    let taken = 0;
    const controller = new AbortController();
    function* endless(): Generator<OutgoingEntry<string>> {
      for (;;) {
        taken += 1;
        yield { value: "refused" };
      }
    }
    setImmediate(() => controller.abort());
    await expect(producer.pipeFrom(endless(), { signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
    expect(taken).toBeLessThan(10_000);
  });

  it("is given up while the source waits, and lets the source clean up", async () => {
    const { producer, driver } = await producerOn(many());
    const waiting = Promise.withResolvers<void>();
    let left = false;
    async function* slow(): AsyncGenerator<OutgoingEntry<string>> {
      try {
        yield { value: "1" };
        await waiting.promise;
        yield { value: "2" };
      } finally {
        left = true;
      }
    }
    const controller = new AbortController();
    const piped = producer.pipeFrom(slow(), { signal: controller.signal });
    await turns();
    controller.abort();
    await expect(piped).rejects.toMatchObject({ code: "aborted" });
    waiting.resolve();
    await turns();
    expect([left, driver.texts.flat()]).toEqual([true, ["1"]]);
  });

  it("is given up while it waits for room", async () => {
    const driver = new ScriptedProducer({ batchMessages: 100 });
    const { producer } = await producerOn(driver, { highWaterBytes: 100 });
    const controller = new AbortController();
    const piped = producer.pipeFrom(source(9), { signal: controller.signal });
    await turns();
    controller.abort();
    await turns();
    driver.at(0).store();
    await expect(piped).rejects.toMatchObject({ code: "aborted" });
    expect(driver.texts.flat()).toHaveLength(1);
  });
});

describe("writable", () => {
  it("applies backpressure, and closing it flushes", async () => {
    const driver = new ScriptedProducer({ batchMessages: 100 });
    const { producer } = await producerOn(driver, { highWaterBytes: 100 });
    const writer = producer.writable().getWriter();
    let written = false;
    const write = writer.write({ value: "1" }).then(() => {
      written = true;
    });
    await turns();
    expect(written).toBe(false);
    driver.at(0).store();
    await write;
    const closed = writer.close();
    await closed;
    expect(driver.stored.get("s/0")).toEqual(["1"]);
  });

  it("fails the next write, or the close, for a message that failed", async () => {
    const { producer } = await producerOn(new Unwilling());
    const writer = producer.writable().getWriter();
    writer.closed.catch(() => undefined);
    await writer.write({ value: "1" });
    await producer.flush();
    await expect(writer.write({ value: "2" })).rejects.toMatchObject({ code: "backend" });

    const other = producer.writable().getWriter();
    other.closed.catch(() => undefined);
    await other.write({ value: "1" });
    await expect(other.close()).rejects.toMatchObject({ code: "backend" });
  });

  it("refuses what is no entry", async () => {
    const { producer } = await producerOn(many());
    const writer = producer.writable().getWriter();
    writer.closed.catch(() => undefined);
    await expect(writer.write("bare" as unknown as OutgoingEntry<string>)).rejects.toThrow(TypeError);
  });
});

describe("seaway:send", () => {
  const channel = tracingChannel<SendTrace & { result?: unknown; error?: unknown }>("seaway:send");
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  function listen(
    handlers: Partial<
      Record<"start" | "end" | "asyncStart" | "asyncEnd" | "error", (trace: SendTrace & { result?: unknown; error?: unknown }) => void>
    >,
  ): void {
    const none = (): void => {};
    const all = { start: none, end: none, asyncStart: none, asyncEnd: none, error: none, ...handlers };
    channel.subscribe(all);
    stops.push(() => channel.unsubscribe(all));
  }

  it("lets a listener to the start add headers, which travel, and tells it the receipt", async () => {
    const seen: unknown[] = [];
    listen({
      start: (trace) => {
        trace.message.headers = { ...(trace.message.headers as object), traceparent: "00-1-2-01" };
        seen.push([trace.backend, trace.message.streamKey, trace.message.value]);
      },
      asyncEnd: (trace) => void seen.push(trace.result),
    });
    const driver = many();
    const { producer } = await producerOn(driver);
    const options = { headers: { own: "1" } };
    const receipt = await producer.send("1", options);
    expect(driver.at(0).messages[0]?.headers).toEqual([
      ["own", "1"],
      ["traceparent", "00-1-2-01"],
    ]);
    expect(options).toEqual({ headers: { own: "1" } });
    expect(seen).toEqual([["fake", "s", "1"], receipt]);
  });

  it("covers every way of sending, and middleware sees what a listener added", async () => {
    listen({
      start: (trace) => {
        trace.message.headers = { traceparent: "t" };
      },
    });
    const driver = many();
    const seen: unknown[] = [];
    const middleware: ProducerMiddleware<string | Uint8Array>[] = [
      (message, next) => {
        seen.push(message.headers);
        return next(message);
      },
    ];
    const { producer } = await producerOn(driver, { middleware });
    await producer.sendTo("o", "1");
    producer.enqueue("2");
    await producer.sendMany([{ value: "3" }]);
    await producer.flush();
    expect(driver.batches.flatMap((batch) => batch.messages.map((message) => message.headers))).toEqual(
      Array(3).fill([["traceparent", "t"]]),
    );
    expect(seen).toEqual(Array(3).fill({ traceparent: "t" }));
  });

  it("tells the error of a send that failed", async () => {
    const errors: unknown[] = [];
    listen({ error: (trace) => void errors.push(trace.error) });
    const { producer } = await producerOn(new Unwilling());
    const error: unknown = await producer.send("1").catch((thrown: unknown) => thrown);
    producer.enqueue("2");
    await expect(producer.flush()).rejects.toMatchObject({ code: "backend" });
    expect(errors).toHaveLength(2);
    expect(errors[0]).toBe(error);
  });
});

describe("a producer's options", () => {
  it("bound a send by sendTimeoutMs; 0 is no bound", async () => {
    const hung = new ScriptedProducer();
    const { producer, clock } = await producerOn(hung, { sendTimeoutMs: 0 });
    let settled = false;
    const sent = producer.send("1").finally(() => {
      settled = true;
    });
    await clock.advance(24 * 3600 * 1000);
    expect([settled, hung.at(0).signal.aborted]).toEqual([false, false]);
    hung.at(0).store();
    await sent;
  });

  it("are refused when they ask for what the backend cannot do, before anything is opened", async () => {
    let opened = 0;
    const openProducer = async (): Promise<ScriptedProducer> => {
      opened += 1;
      return many();
    };
    const drivers = [fakeDriver({ capabilities: { headers: false, dedupe: false, shards: false }, connection: { openProducer } })];
    await using streamer = await connect("fake://produce", { drivers });
    const refused = { code: "unsupported", phase: "setup" };
    await expect(streamer.createProducer("s", { dedupe: true })).rejects.toMatchObject(refused);
    await expect(streamer.createProducer("s", { shards: 2 })).rejects.toMatchObject(refused);
    await expect(streamer.createProducer("s", { codec: json(), contentType: true })).rejects.toMatchObject({ code: "unsupported" });
    await expect(streamer.createProducer("s", { shards: 0 })).rejects.toMatchObject({ code: "invalid-option" });
    expect(opened).toBe(0);
    await streamer.createProducer("s", { dedupe: false });
    expect(opened).toBe(1);
  });
});
