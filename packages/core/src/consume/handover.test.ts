import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { lasting } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { consumerOn, incoming } from "../../test/scripted-consumer.ts";
import { json } from "../message/codec.ts";
import type { Message } from "../message/message.ts";
import type { Consumer } from "./consumer.ts";
import type { ConsumerOptions } from "./consumer-options.ts";

async function settledText<T>(next: Promise<Message<T>>): Promise<string | undefined> {
  let text: string | undefined;
  next.then(
    (message) => {
      text = message.text();
    },
    () => {
      text = "rejected";
    },
  );
  await turns();
  return text;
}

describe("next", () => {
  it("gives concurrent callers a different message each, in the order of their calls", async () => {
    const { consumer, driver } = await consumerOn();
    const calls = [consumer.next(), consumer.next(), consumer.next()];
    driver.give("1", "2");
    await turns();
    driver.give("3");
    expect((await Promise.all(calls)).map((message) => message.text())).toEqual(["1", "2", "3"]);
  });

  it("that is aborted loses nothing, and leaves no listener", async () => {
    const { consumer, driver } = await consumerOn();
    const controller = new AbortController();
    const given = expect(consumer.next({ signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
    const waiting = consumer.next();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort();
    await given;
    driver.give("1", "2");
    expect((await waiting).text()).toBe("1");
    await expect(consumer.next({ signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
    expect((await consumer.next({ signal: new AbortController().signal })).text()).toBe("2");
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  it("rejects closed once the consumer is closed, also for those who wait", async () => {
    const { consumer, driver } = await consumerOn();
    const waiting = expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
    await turns();
    await Promise.all([consumer.close(), consumer.close()]);
    await waiting;
    await expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
    expect(driver.closed).toBe(1);
  });

  it("rejects stream-ended at the end of a bounded read, for all who wait, after the last message", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    const [first, second, third] = [consumer.next(), consumer.next(), consumer.next()];
    const ends = [second, third].map((call) => expect(call).rejects.toMatchObject({ code: "stream-ended" }));
    driver.answer({ messages: [incoming("1")], ended: true });
    expect((await first).text()).toBe("1");
    await Promise.all(ends);
    expect(driver.request?.until).toBe("end");
  });
});

describe("pause", () => {
  it("stops reading and handing over, while readers go on waiting; resume goes on", async () => {
    const { consumer, driver } = await consumerOn();
    const first = consumer.next();
    driver.give("1", "2");
    await first;
    consumer.pause();
    consumer.pause();
    await turns();
    expect(driver.asked).toBe(false);
    const waiting = consumer.next();
    expect(await settledText(waiting)).toBeUndefined();
    consumer.resume();
    consumer.resume();
    expect((await waiting).text()).toBe("2");
    const next = consumer.next();
    await turns();
    driver.give("3");
    expect((await next).text()).toBe("3");
  });

  it("keeps what arrives at its very moment", async () => {
    const { consumer, driver } = await consumerOn();
    const waiting = consumer.next();
    await turns();
    driver.give("1");
    consumer.pause();
    expect(await settledText(waiting)).toBeUndefined();
    consumer.resume();
    expect((await waiting).text()).toBe("1");
  });

  it("followed by resume at once goes on reading", async () => {
    const { consumer, driver } = await consumerOn();
    const waiting = consumer.next();
    await turns();
    consumer.pause();
    consumer.resume();
    await turns();
    driver.give("1");
    expect((await waiting).text()).toBe("1");
  });

  it("outlasts a seek", async () => {
    const { consumer, driver } = await consumerOn();
    consumer.pause();
    const waiting = consumer.next();
    await consumer.rewind("beginning");
    await turns();
    expect(driver.asked).toBe(false);
    consumer.resume();
    await turns();
    driver.answer({ messages: [incoming("1")], epoch: 1 });
    expect((await waiting).text()).toBe("1");
  });

  it("does not hold up close", async () => {
    const { consumer } = await consumerOn();
    consumer.pause();
    const waiting = expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
    await consumer.close();
    await waiting;
    expect(() => consumer.resume()).toThrow(expect.objectContaining({ code: "closed" }));
  });
});

describe("maxMessagesPerSecond", () => {
  async function take(consumer: Consumer, count: number): Promise<string[]> {
    const taken: string[] = [];
    for (let i = 0; i < count; i++)
      void consumer.next().then(
        (message) => taken.push(message.text()),
        () => {},
      );
    return taken;
  }

  it("spreads messages evenly, after a tenth of a second's worth at once", async () => {
    const { consumer, driver, clock } = await consumerOn({ maxMessagesPerSecond: 20 });
    driver.give(...Array.from({ length: 10 }, (_, i) => String(i)));
    const taken = await take(consumer, 10);
    await turns();
    expect(taken).toHaveLength(2);
    await clock.advance(49);
    expect(taken).toHaveLength(2);
    await clock.advance(1);
    expect(taken).toHaveLength(3);
    await clock.advance(200);
    expect(taken).toHaveLength(7);
    await consumer.close();
    expect(clock.pending).toBe(0);
  });

  it("below ten a second gives one at a time", async () => {
    const { consumer, driver, clock } = await consumerOn({ maxMessagesPerSecond: 2 });
    driver.give("1", "2", "3");
    const taken = await take(consumer, 3);
    await turns();
    expect(taken).toHaveLength(1);
    await clock.advance(500);
    expect(taken).toHaveLength(2);
    await clock.advance(5000);
    expect(taken).toHaveLength(3);
  });

  it("has no effect at 0", async () => {
    const { consumer, driver } = await consumerOn({ maxMessagesPerSecond: 0 });
    driver.give("1", "2", "3");
    const taken = await take(consumer, 3);
    await turns();
    expect(taken).toEqual(["1", "2", "3"]);
  });
});

describe("a message that cannot be decoded", () => {
  const asJson = { codec: json<number>() };
  const read = async (options: ConsumerOptions<number>, ...payloads: Parameters<typeof incoming>[]) => {
    const rig = await consumerOn<number>(options);
    rig.driver.give(...payloads.map((payload) => incoming(...payload)));
    return rig;
  };

  it("fails its read by default, with its place, and the next read goes on after it", async () => {
    const { consumer } = await read(asJson, ["1"], ["{", { sequence: 77 }], ["3"]);
    expect((await consumer.next()).value).toBe(1);
    await expect(consumer.next()).rejects.toMatchObject({
      code: "decode-failed",
      retryable: false,
      streamKey: "s",
      backend: "fake",
      cause: expect.any(SyntaxError),
      message: expect.stringMatching(/stream "s", shard 0, sequence 77: .*onDecodeError/),
    });
    expect((await consumer.next()).value).toBe(3);
  });

  it("is dropped with an event under term", async () => {
    const { consumer, events } = await read({ ...asJson, onDecodeError: "term" }, ["{"], ["{"], ["3"]);
    expect((await consumer.next()).value).toBe(3);
    expect(events).toMatchObject(
      Array(2).fill({ code: "message-dropped", level: "warn", streamKey: "s", shardId: 0, error: { code: "decode-failed" } }),
    );
  });

  it("comes as bytes under raw", async () => {
    const { consumer } = await read({ ...asJson, onDecodeError: "raw" }, ["{"]);
    expect((await consumer.next()).value).toEqual(new Uint8Array([0x7b]));
  });

  it("is corrupt-data where the driver could not read it, and message-too-large above maxMessageBytes", async () => {
    const { consumer } = await read({ ...asJson, maxMessageBytes: 2 }, ["1", { malformed: new Error("bad checksum") }], ["1234"], ["12"]);
    await expect(consumer.next()).rejects.toMatchObject({ code: "corrupt-data", message: expect.stringContaining("bad checksum") });
    await expect(consumer.next()).rejects.toMatchObject({ code: "message-too-large", message: expect.stringContaining("4 bytes") });
    expect((await consumer.next()).value).toBe(12);
  });

  it("keeps its place among messages of a codec that is asynchronous for some", async () => {
    const codec = {
      decode: (bytes: Uint8Array): string | Promise<string> => {
        const text = Buffer.from(bytes).toString();
        if (text === "late") return turns().then(() => text);
        if (text === "bad") return turns(1).then(() => Promise.reject(new Error("bad")));
        return text;
      },
    };
    const { consumer, driver } = await consumerOn<string>({ codec });
    driver.give("1", "late", "bad", "4");
    expect((await consumer.next()).value).toBe("1");
    expect((await consumer.next()).value).toBe("late");
    await expect(consumer.next()).rejects.toMatchObject({ code: "decode-failed" });
    expect((await consumer.next()).value).toBe("4");
  });

  it("ends a loop, and the next loop goes on after it", async () => {
    const { consumer } = await read(asJson, ["1"], ["{"], ["3"]);
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const message of consumer) {
        seen.push(message.value);
        if (message.value === 3) break;
      }
    };
    await expect(loop()).rejects.toMatchObject({ code: "decode-failed" });
    await loop();
    expect(seen).toEqual([1, 3]);
  });
});

describe("seaway:receive", () => {
  it("tells of each message that is handed over, in whatever way", async () => {
    const seen: unknown[] = [];
    const listen = (trace: unknown): void => void seen.push(trace);
    subscribe("seaway:receive", listen);
    try {
      const { consumer, driver } = await consumerOn();
      driver.give("1", "2", "3");
      const first = await consumer.next();
      const fetched = await consumer.fetch({ maxMessages: 1, expiresMs: 0 });
      for await (const message of consumer) {
        expect(seen).toEqual([first, ...fetched, message].map((one) => ({ backend: "fake", message: one })));
        break;
      }
    } finally {
      unsubscribe("seaway:receive", listen);
    }
  });
});

describe("closing a consumer", () => {
  it("reports what the driver failed with, and is done once", async () => {
    const { consumer, driver } = await consumerOn();
    driver.close = async () => Promise.reject(lasting("stuck"));
    await expect(consumer.close()).rejects.toMatchObject({ code: "backend", message: "backend: closing the consumer: stuck" });
    await expect(consumer.close()).rejects.toThrow("stuck");
  });

  it("ends a stream that waits, and may be called from its body", async () => {
    const { consumer, driver } = await consumerOn();
    driver.give("1");
    let count = 0;
    for await (const _ of consumer) {
      count += 1;
      await consumer.close();
    }
    expect(count).toBe(1);
  });
});
