import { afterEach, describe, expect, it } from "vitest";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { connect } from "../connect/connect.ts";
import type { Streamer } from "../connect/streamer.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Producer } from "../produce/producer.ts";
import type { Consumer } from "./consumer.ts";
import type { ConsumerOptions } from "./consumer-options.ts";
import { NonRetryableError } from "./run-options.ts";

interface Rig {
  readonly clock: ManualClock;
  readonly streamer: Streamer;
  readonly producer: Producer;
  readonly events: StreamerEvent[];
  consumer(options?: ConsumerOptions<Uint8Array>): Promise<Consumer>;
  /** `key:text`, or a text alone. */
  send(...texts: string[]): Promise<void>;
  /** What the group has not settled. */
  open(): Promise<number>;
}

const open: Streamer[] = [];
let brokers = 0;

afterEach(async () => {
  await Promise.allSettled(open.splice(0).map((streamer) => streamer.close()));
});

async function rig(): Promise<Rig> {
  const clock = new ManualClock();
  const events: StreamerEvent[] = [];
  brokers += 1;
  const streamer = await connect(`memory://run-${brokers}`, { clock, random: () => 0, onEvent: (event) => events.push(event) });
  open.push(streamer);
  const producer = await streamer.createProducer("s");
  return {
    clock,
    streamer,
    producer,
    events,
    consumer: (options) => streamer.createConsumer("s", { mode: "load-balanced", group: "g", autoStreamReset: "earliest", ...options }),
    async send(...texts) {
      for (const text of texts) {
        const [key, value] = text.includes(":") ? text.split(":") : [undefined, text];
        await producer.send(value as string, { key });
      }
    },
    async open() {
      const { shards } = await streamer.admin.groupInfo("s", "g");
      return shards.reduce((sum, { pending = 0, lag = 0 }) => sum + pending + lag, 0);
    },
  };
}

/** Handlers that the test lets go, one by one. */
class Gate {
  readonly started: string[] = [];
  most = 0;
  #now = 0;
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();

  readonly handler = async (message: { text(): string }): Promise<void> => {
    const text = message.text();
    this.started.push(text);
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(text, waiting);
    try {
      await waiting.promise;
    } finally {
      this.#now -= 1;
    }
  };

  async finish(...texts: string[]): Promise<void> {
    for (const text of texts) this.#waiting.get(text)?.resolve();
    await turns();
  }

  async fail(text: string): Promise<void> {
    this.#waiting.get(text)?.reject(new Error(`${text} failed`));
    await turns();
  }
}

describe("concurrency", () => {
  it("is reached and not exceeded", async () => {
    const { consumer, send } = await rig();
    await send("1", "2", "3", "4", "5");
    const gate = new Gate();
    const worker = await consumer();
    const running = worker.run(gate.handler, { concurrency: 3 });
    await turns();
    expect(gate.started).toEqual(["1", "2", "3"]);
    await gate.finish("2");
    expect(gate.started).toEqual(["1", "2", "3", "4"]);
    await gate.finish("1", "3", "4");
    await gate.finish("5");
    expect(gate.most).toBe(3);
    await worker.close();
    await running;
  });

  it("waits for what only behaves like a promise", async () => {
    const { consumer, send, clock, open: left } = await rig();
    await send("1");
    const worker = await consumer({ autoCommitIntervalMs: 1 });
    let done: (() => void) | undefined;
    // biome-ignore lint/suspicious/noThenProperty: as some database clients have it
    const running = worker.run(() => ({ then: (resolve: () => void) => (done = resolve) }));
    await clock.advance(50);
    expect(await left()).toBe(1);
    done?.();
    await clock.advance(50);
    expect(await left()).toBe(0);
    await worker.close();
    await running;
  });
});

describe("orderBy", () => {
  it("holds back only the key of a message that fails", async () => {
    const { consumer, send, clock } = await rig();
    await send("a:a1", "b:b1", "a:a2", "b:b2");
    const order: string[] = [];
    const worker = await consumer();
    const running = worker.run(
      (message) => {
        order.push(`${message.text()}/${message.deliveryCount}`);
        if (message.text() === "a1" && message.deliveryCount < 3) throw new Error("not yet");
      },
      { concurrency: 4, orderBy: "key" },
    );
    await turns();
    expect(order).toEqual(["a1/1", "b1/1", "b2/1"]);
    await clock.advance(10_000);
    expect(order).toEqual(["a1/1", "b1/1", "b2/1", "a1/2", "a1/3", "a2/1"]);
    await worker.close();
    await running;
  });

  it("holds the key of a message that its handler nak'ed itself, also while that handler is still at work", async () => {
    const { consumer, send, clock } = await rig();
    await send("a:a1", "a:a2");
    const gate = new Gate();
    const order: string[] = [];
    const worker = await consumer();
    const running = worker.run(
      async (message) => {
        order.push(`${message.text()}/${message.deliveryCount}`);
        if (message.text() === "a1" && message.deliveryCount === 1) {
          message.nak();
          await gate.handler(message);
        }
      },
      { concurrency: 4, orderBy: "key" },
    );
    await clock.advance(1000);
    expect(order).toEqual(["a1/1"]);
    await gate.finish("a1");
    await clock.advance(1000);
    expect(order).toEqual(["a1/1", "a1/2", "a2/1"]);
    await worker.close();
    await running;
  });

  it("does not let a message that cannot be decoded open the gate of one that is at work, nor give it to the handler", async () => {
    const { consumer, send, clock } = await rig();
    await send("a:a1", "a:bad", "a:a3");
    const gate = new Gate();
    const seen: string[] = [];
    let isGood = false;
    const worker = await consumer({
      codec: {
        decode(bytes) {
          if (!isGood && Buffer.from(bytes).toString() === "bad") throw new Error("cannot be read");
          return bytes;
        },
      },
    });
    const faults: string[] = [];
    const running = worker.run(
      (message) => {
        seen.push(message.text());
        return gate.handler(message);
      },
      { concurrency: 4, orderBy: "key", onError: (error) => faults.push(String(error)) },
    );
    await clock.advance(5000);
    expect(seen).toEqual(["a1"]);
    await gate.finish("a1");
    await clock.advance(700);
    // It keeps its place, and comes again with its fault.
    expect(seen).toEqual(["a1"]);
    expect(faults.length).toBeGreaterThan(1);
    isGood = true;
    await worker.close();
    await running;
  });

  it("frees the gate of a message that is lost while it waits for its back-off", async () => {
    const { consumer, send, clock, streamer } = await rig();
    await send("a:a1", "a:a2");
    const order: string[] = [];
    const worker = await consumer({ memory: { claimIdleMs: 1000 } } as ConsumerOptions<Uint8Array>);
    const running = worker.run(
      (message) => {
        order.push(message.text());
        if (order.length === 1) throw new Error("no");
      },
      { orderBy: "key", retry: { backoff: () => 3_600_000 } },
    );
    await turns();
    expect(order).toEqual(["a1"]);
    // Nobody extends while the event loop stands still.
    clock.stall(5000);
    await clock.advance(1);
    await clock.advance(6000);
    expect(order).toEqual(["a1", "a1", "a2"]);
    await worker.close();
    await running;
    await streamer.close();
  });

  it("works on a long queue of handlers that return at once without filling the stack", async () => {
    const { consumer, producer } = await rig();
    const count = 20_000;
    await producer.sendMany(Array.from({ length: count }, (_, i) => ({ value: String(i), key: "k" })));
    const gate = new Gate();
    const seen: number[] = [];
    const all = Promise.withResolvers<void>();
    const worker = await consumer({ maxPrefetchMessages: count });
    const running = worker.run(
      (message) => {
        seen.push(Number(message.text()));
        if (seen.length === count) all.resolve();
        return seen.length === 1 ? gate.handler(message) : undefined;
      },
      { concurrency: 2, orderBy: "key" },
    );
    await turns(50);
    await gate.finish("0");
    await all.promise;
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
    await worker.close();
    await running;
  });
});

describe("time-outs", () => {
  it("abort the handler's signal, nak the message, and start no more than concurrency beside those that linger", async () => {
    const { consumer, send, clock } = await rig();
    await send("1", "2", "3");
    const gate = new Gate();
    const aborted: string[] = [];
    const errors: string[] = [];
    const worker = await consumer();
    const running = worker.run(
      (message, { signal }) => {
        const text = message.text();
        signal.addEventListener("abort", () => aborted.push(text));
        return gate.handler(message);
      },
      { concurrency: 1, handlerTimeoutMs: 1000, onError: (error) => errors.push(String(error)) },
    );
    await clock.advance(999);
    expect(aborted).toEqual([]);
    await clock.advance(1);
    expect(aborted).toEqual(["1"]);
    expect(errors).toEqual([expect.stringContaining("handlerTimeoutMs (1000 ms)")]);
    // The one that lingers has the only place.
    await clock.advance(20_000);
    expect(gate.started).toEqual(["1"]);
    await gate.finish("1");
    expect(gate.started.length).toBe(2);
    expect(errors.length).toBe(1);
    await worker.close();
    await gate.finish("1", "2");
    await running;
  });

  it("are a failure that is recorded, not a loss, when keepAliveMs is over", async () => {
    const { consumer, send, clock, events } = await rig();
    await send("1");
    const errors: unknown[] = [];
    const counts: number[] = [];
    const worker = await consumer({ keepAliveMs: 60_000 });
    const running = worker.run(
      (message) => {
        counts.push(message.deliveryCount);
        return counts.length === 1 ? new Promise(() => {}) : undefined;
      },
      { concurrency: 2, onError: (error) => errors.push(error) },
    );
    await clock.advance(70_000);
    expect(errors).toEqual([expect.objectContaining({ code: "timeout" })]);
    expect(events.filter(({ code }) => code === "message-lost")).toEqual([]);
    expect(counts).toEqual([1, 2]);
    await worker.close();
    await running;
  });
});

describe("ending", () => {
  it("does nothing when its signal is aborted already", async () => {
    const { consumer, send } = await rig();
    await send("1");
    const worker = await consumer();
    const seen: string[] = [];
    await worker.run((message) => void seen.push(message.text()), { signal: AbortSignal.abort() });
    expect(seen).toEqual([]);
    expect((await worker.next()).text()).toBe("1");
  });

  it("gives back what was not started, so that another member gets it, and waits for what was", async () => {
    const { consumer, send, clock } = await rig();
    await send("a:1", "a:2", "a:3", "b:4");
    const gate = new Gate();
    const stop = new AbortController();
    const worker = await consumer();
    let ended = false;
    const running = worker.run(gate.handler, { concurrency: 2, orderBy: "key", signal: stop.signal }).then(() => (ended = true));
    await turns();
    expect(gate.started).toEqual(["1", "4"]);
    stop.abort();
    await gate.finish("1");
    expect([gate.started, ended]).toEqual([["1", "4"], false]);
    await gate.finish("4");
    await running;
    const other = await consumer();
    expect((await other.next()).deliveryCount).toBe(1);
    expect((await other.next()).text()).toBe("3");
    await clock.advance(0);
  });

  it("leaves what was read ahead to the next reader where no broker would give it again", async () => {
    const { streamer, send } = await rig();
    await send("a:1", "a:2", "a:3", "a:4");
    const gate = new Gate();
    const stop = new AbortController();
    const worker = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
    const running = worker.run(gate.handler, { concurrency: 2, orderBy: "key", signal: stop.signal });
    await turns();
    stop.abort();
    await gate.finish("1");
    await running;
    const rest = await worker.fetch({ maxMessages: 10, expiresMs: 0 });
    expect(rest.map((message) => message.text())).toEqual(["2", "3", "4"]);
  });

  it("starts no batch once it is to stop, and gives back what it gathered", async () => {
    const { consumer, send } = await rig();
    await send("1", "2");
    const stop = new AbortController();
    const worker = await consumer();
    const seen: unknown[] = [];
    const running = worker.run((batch) => void seen.push(batch), { batch: { maxMessages: 10, maxWaitMs: 1000 }, signal: stop.signal });
    await turns();
    stop.abort();
    await running;
    expect(seen).toEqual([]);
    const other = await consumer();
    expect((await other.fetch({ maxMessages: 10, expiresMs: 0 })).map((message) => [message.text(), message.deliveryCount])).toEqual([
      ["1", 1],
      ["2", 1],
    ]);
  });

  it("keeps a message that is nak'ed and due while the run drains", async () => {
    const { consumer, send, clock } = await rig();
    await send("a:1", "b:2");
    const gate = new Gate();
    const stop = new AbortController();
    const worker = await consumer();
    const running = worker.run(gate.handler, { concurrency: 2, orderBy: "key", signal: stop.signal, retry: { backoff: () => 100 } });
    await turns();
    await gate.fail("1");
    stop.abort();
    await clock.advance(1000);
    await gate.finish("2");
    await running;
    const next = await worker.next();
    expect([next.text(), next.deliveryCount]).toEqual(["1", 2]);
  });

  it("aborts handlers that are still at work at the drain deadline, and resolves", async () => {
    const { consumer, send, clock, events } = await rig();
    await send("1");
    const stop = new AbortController();
    const worker = await consumer();
    let given: AbortSignal | undefined;
    const running = worker.run(
      (_message, { signal }) => {
        given = signal;
        return new Promise(() => {});
      },
      { signal: stop.signal, drainTimeoutMs: 500 },
    );
    await turns();
    stop.abort();
    await clock.advance(499);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    await running;
    expect(given?.aborted).toBe(true);
    expect(events.map(({ code }) => code)).toContain("drain-timeout");
  });

  it("comes to the end of a bounded read only when what failed was handled again, in real-time too", async () => {
    for (const orderBy of ["none", "key"] as const) {
      const { streamer, send, clock } = await rig();
      await send("a:1", "b:2");
      const worker = await streamer.createConsumer("s", { autoStreamReset: "earliest", until: "end" });
      const gate = new Gate();
      const done: string[] = [];
      let ended = false;
      const running = worker
        .run(
          async (message) => {
            if (message.text() === "2" && message.deliveryCount === 1) await gate.handler(message);
            done.push(`${message.text()}/${message.deliveryCount}`);
          },
          { concurrency: 4, orderBy },
        )
        .then(() => (ended = true));
      await turns();
      await gate.fail("2");
      expect([done, ended]).toEqual([["1/1"], false]);
      await clock.advance(60_000);
      await running;
      expect(done).toEqual(["1/1", "2/2"]);
    }
  });

  it("leaves no timer and resolves when the consumer is closed meanwhile", async () => {
    const { consumer, send, clock } = await rig();
    await send("1", "2");
    const gate = new Gate();
    const worker = await consumer();
    let given: AbortSignal | undefined;
    const running = worker.run((message, { signal }) => {
      given = signal;
      return gate.handler(message);
    });
    await turns();
    await worker.close();
    expect(given?.aborted).toBe(true);
    await gate.finish("1");
    await running;
    expect([gate.started, clock.pending]).toEqual([["1"], 0]);
  });
});

describe("pause", () => {
  it("keeps back what waits for a slot, a gate or its back-off", async () => {
    const { consumer, send, clock } = await rig();
    await send("a:1", "a:2", "b:3");
    const gate = new Gate();
    const worker = await consumer();
    const running = worker.run(gate.handler, { concurrency: 2, orderBy: "key", retry: { backoff: () => 100 } });
    await turns();
    worker.pause();
    await gate.finish("1");
    await gate.fail("3");
    await clock.advance(10_000);
    expect(gate.started).toEqual(["1", "3"]);
    worker.resume();
    await clock.advance(0);
    expect(gate.started.toSorted()).toEqual(["1", "2", "3", "3"]);
    await worker.close();
    await gate.finish("2", "3");
    await running;
  });
});

describe("failures", () => {
  it("are settled although onError or the back-off throws, which is told as an uncaught exception", async () => {
    const { consumer, send, clock } = await rig();
    const uncaught: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error.message));
    try {
      await send("1");
      const worker = await consumer();
      const counts: number[] = [];
      const running = worker.run(
        (message) => {
          counts.push(message.deliveryCount);
          if (counts.length === 1) throw new Error("no");
        },
        {
          onError: () => {
            throw new Error("from onError");
          },
          retry: {
            backoff: () => {
              throw new Error("from backoff");
            },
          },
        },
      );
      await clock.advance(2000);
      expect(counts).toEqual([1, 2]);
      expect(uncaught).toEqual(["from onError", "from backoff"]);
      await worker.close();
      await running;
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  it("are retried where there is no dead letter, also non-retryable ones", async () => {
    const { consumer, send, clock } = await rig();
    await send("1");
    const counts: number[] = [];
    const worker = await consumer();
    const running = worker.run((message) => {
      counts.push(message.deliveryCount);
      throw new NonRetryableError("never");
    });
    await clock.advance(2000);
    expect(counts).toEqual([1, 2, 3]);
    await worker.close();
    await running;
  });

  it("go to the dead letters once each, and wait there while that stream fails", async () => {
    const { consumer, send, clock, streamer, open: left } = await rig();
    await send("1", "2", "3");
    const dead = await streamer.createProducer("dead");
    let refuse = true;
    const original = dead.sendTo.bind(dead);
    dead.sendTo = (...parts) => (refuse ? Promise.reject(new Error("down")) : original(...parts));
    const worker = await consumer({ autoCommitIntervalMs: 10 });
    const running = worker.run(
      (message) => {
        if (message.text() === "1") throw new NonRetryableError("never");
        if (message.text() === "2") message.term("of no use");
        else throw new Error("no");
      },
      { concurrency: 3, retry: { maxDeliveries: 2 }, deadLetter: { producer: dead, stream: "dead" } },
    );
    await clock.advance(20_000);
    expect(await left()).toBe(3);
    refuse = false;
    await clock.advance(120_000);
    expect(await left()).toBe(0);
    const reader = await streamer.createConsumer("dead", { autoStreamReset: "earliest", until: "end" });
    const found: string[] = [];
    for await (const message of reader.stream()) found.push(`${message.text()} ${message.headers.get("seaway-dead-letter-reason")}`);
    expect(found.toSorted()).toEqual(["1 non-retryable", "2 terminated", "3 max-deliveries"]);
    await worker.close();
    await running;
  });

  it("are dead-lettered although a message of the same id was before", async () => {
    const { consumer, producer, streamer, clock, open: left } = await rig();
    const other = await streamer.createProducer("t");
    await producer.send("of s", { messageId: "m" });
    await other.send("of t", { messageId: "m" });
    const worker = await streamer.createConsumer(["s", "t"], { mode: "load-balanced", group: "g", autoStreamReset: "earliest" });
    const running = worker.run(
      () => {
        throw new NonRetryableError("never");
      },
      { deadLetter: "dead" },
    );
    await clock.advance(2000);
    const reader = await streamer.createConsumer("dead", { autoStreamReset: "earliest", until: "end" });
    const found: string[] = [];
    for await (const message of reader.stream()) found.push(`${message.text()} ${message.messageId}`);
    expect(found).toEqual(["of s m:dlq", "of t t:0:1:dlq"]);
    expect(await left()).toBe(0);
    await worker.close();
    await running;
    await (await consumer()).close();
  });

  it("do not make suspects: what failed here is not put on probation, and what kills is handled alone, then not at all", async () => {
    const { streamer, send, clock, events } = await rig();
    await send("killer", "2", "3");
    const handled: string[] = [];
    const die = async (): Promise<void> => {
      const worker = await streamer.createConsumer("s", {
        mode: "load-balanced",
        group: "g",
        autoStreamReset: "earliest",
        memory: { claimIdleMs: 1000, claimIntervalMs: 100 },
      } as ConsumerOptions<Uint8Array>);
      void worker
        .run(
          async (message) => {
            handled.push(`${message.text()}/${message.deliveryCount}`);
            if (message.text() === "killer") await new Promise(() => {});
          },
          { concurrency: 10, retry: { maxDeliveries: 2 }, deadLetter: true },
        )
        .catch(() => undefined);
      await clock.advance(500);
      worker.abandon();
      await clock.advance(1500);
    };
    for (let i = 0; i < 4; i++) await die();
    expect(handled.filter((text) => text.startsWith("killer"))).toEqual(["killer/1", "killer/2", "killer/3"]);
    expect(events.filter(({ code }) => code === "dead-lettered").length).toBe(1);
    const reader = await streamer.createConsumer("s.dlq", { autoStreamReset: "earliest", until: "end" });
    for await (const message of reader.stream())
      expect([message.text(), message.headers.get("seaway-dead-letter-reason")]).toEqual(["killer", "poison"]);
  });

  it("are not dead-lettered for a decode policy that says term", async () => {
    const { consumer, send, clock, streamer, open: left } = await rig();
    await send("1");
    const worker = await consumer({
      autoCommitIntervalMs: 10,
      onDecodeError: "term",
      codec: {
        decode() {
          throw new Error("no");
        },
      },
    });
    const running = worker.run(() => {}, { deadLetter: true });
    await clock.advance(100);
    expect(await left()).toBe(0);
    expect(await streamer.admin.listStreams()).toEqual(["s"]);
    await worker.close();
    await running;
  });
});

describe("options", () => {
  it.each([
    [{ concurrency: 0 }, "concurrency"],
    [{ retry: { maxDeliveries: 3 } }, "without a deadLetter"],
    [{ batch: { maxMessages: 2, maxWaitMs: 1 }, orderBy: "key" }, "batch and orderBy"],
    [{ batch: { maxMessages: 2, maxWaitMs: 1 }, middleware: [async () => {}] }, "batch and middleware"],
    [{ deadLetter: false }, "deadLetter"],
    [{ deadLetter: { stream: "x" } }, "deadLetter"],
  ])("refuse %j", async (options, text) => {
    const { consumer } = await rig();
    const worker = await consumer();
    await expect(worker.run(() => {}, options as never)).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining(text),
    });
    // It is free again.
    expect(await worker.fetch({ maxMessages: 1, expiresMs: 0 })).toEqual([]);
  });

  it("refuse a dead letter's stream that no stream can be called", async () => {
    const { consumer } = await rig();
    const worker = await consumer();
    await expect(worker.run(() => {}, { deadLetter: "no such/key" })).rejects.toMatchObject({ code: "invalid-stream-key" });
  });
});

describe("middleware", () => {
  it("runs around each call, the first outermost, and its failure is the handler's", async () => {
    const { consumer, send, clock } = await rig();
    await send("1");
    const trace: string[] = [];
    const worker = await consumer();
    const running = worker.run((message) => void trace.push(`handler ${message.deliveryCount}`), {
      middleware: [
        async (_message, next) => {
          trace.push("outer");
          await next();
          trace.push("outer ends");
        },
        async (message, next) => {
          if (message.deliveryCount === 1) throw new Error("no");
          await next();
        },
      ],
    });
    await clock.advance(1000);
    expect(trace).toEqual(["outer", "outer", "handler 2", "outer ends"]);
    await worker.close();
    await running;
  });
});
