import { describe, expect, it } from "vitest";
import { lasting, passing } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { consumerOn, incoming, ScriptedConsumer } from "../../test/scripted-consumer.ts";
import type { Decoder } from "../message/codec.ts";

const texts = (count: number, length = 1): string[] => Array.from({ length: count }, (_, i) => String(i % 10).repeat(length));

describe("reading ahead", () => {
  it("begins with the first read, never before", async () => {
    const { consumer, driver } = await consumerOn();
    await turns();
    expect(driver.limits).toHaveLength(0);
    const next = consumer.next();
    await turns();
    expect(driver.limits).toHaveLength(1);
    driver.give("1");
    expect((await next).text()).toBe("1");
  });

  it("goes on in the background, one receive at a time, until the buffer is more than half full", async () => {
    const { consumer, driver } = await consumerOn({ maxPrefetchMessages: 10 });
    const next = consumer.next();
    driver.give(...texts(4));
    await next;
    await turns();
    expect(driver.limits.map((limit) => limit.maxMessages)).toEqual([10, 7]);
    driver.give(...texts(3));
    await turns();
    // Six wait: no more is asked for until half of the room is free.
    expect(driver.asked).toBe(false);
    await consumer.next();
    await turns();
    expect(driver.limits.map((limit) => limit.maxMessages)).toEqual([10, 7, 5]);
  });

  it("asks for no more bytes than are free, and not at all while none are", async () => {
    const { consumer, driver } = await consumerOn({ maxPrefetchBytes: 100 });
    const next = consumer.next();
    driver.give(...texts(5, 10));
    await next;
    await turns();
    expect(driver.limits.map((limit) => limit.maxBytes)).toEqual([100, 60]);
    driver.give(...texts(6, 10));
    await turns();
    expect(driver.asked).toBe(false);
    await consumer.next();
    await turns();
    expect(driver.limits.at(-1)?.maxBytes).toBe(10);
  });

  it("reads one at a time where maxPrefetchMessages is 0 or 1", async () => {
    const { consumer, driver } = await consumerOn({ maxPrefetchMessages: 0 });
    const next = consumer.next();
    driver.give("1");
    await next;
    await turns();
    driver.give("2");
    await turns();
    expect([driver.asked, driver.limits.map((limit) => limit.maxMessages)]).toEqual([false, [1, 1]]);
    await consumer.next();
    await turns();
    expect(driver.asked).toBe(true);
  });
});

describe("a receive that fails", () => {
  it("for a passing reason is tried again with backoff, and an event says so", async () => {
    const { consumer, driver, clock, events } = await consumerOn();
    const next = consumer.next();
    driver.fail(passing("connection lost"));
    await turns();
    expect(driver.asked).toBe(false);
    expect(events).toMatchObject([{ code: "receive-failed", level: "warn", count: 1, error: { code: "backend", retryable: true } }]);
    await clock.advance(100);
    driver.fail(passing());
    await turns();
    expect(events.at(-1)?.count).toBe(2);
    await clock.advance(100);
    expect(driver.asked).toBe(false);
    await clock.advance(100);
    driver.give("1");
    expect((await next).text()).toBe("1");
    driver.fail(passing());
    await turns();
    expect(events.at(-1)?.count).toBe(1);
  });

  it("for good fails the next read, after what was there before; the one after it tries again", async () => {
    const { consumer, driver } = await consumerOn();
    const first = consumer.next();
    driver.give("1", "2");
    await first;
    await turns();
    driver.fail(lasting("gone"));
    await turns();
    expect((await consumer.next()).text()).toBe("2");
    await expect(consumer.next()).rejects.toMatchObject({ code: "backend", retryable: false, message: expect.stringContaining("gone") });
    const again = consumer.next();
    await turns();
    expect(driver.asked).toBe(true);
    driver.give("3");
    expect((await again).text()).toBe("3");
  });

  it("for good fails one of those who wait, and the others go on waiting", async () => {
    const { consumer, driver } = await consumerOn();
    const [first, second] = [consumer.next(), consumer.next()];
    driver.fail(lasting());
    await expect(first).rejects.toMatchObject({ code: "backend" });
    await turns();
    driver.give("1");
    expect((await second).text()).toBe("1");
  });

  it("for good ends a stream, which can be opened again", async () => {
    const { consumer, driver } = await consumerOn();
    driver.fail(lasting());
    await expect(consumer.stream().next()).rejects.toMatchObject({ code: "backend" });
    driver.give("1");
    expect((await consumer.stream().next()).value?.text()).toBe("1");
  });

  it("while it waits to try again does not delay close", async () => {
    const { consumer, driver, clock } = await consumerOn();
    const next = expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
    driver.fail(passing());
    await turns();
    await consumer.close();
    await next;
    expect([driver.closed, clock.pending]).toEqual([1, 0]);
  });
});

describe("a seek", () => {
  it("drops what was read before it, and what still arrives of that", async () => {
    const { consumer, driver } = await consumerOn();
    const next = consumer.next();
    driver.give("old 1", "old 2");
    await next;
    await turns();
    await consumer.rewind("beginning");
    driver.answer({ messages: [incoming("old 3")], epoch: 0 });
    const after = consumer.next();
    await turns();
    driver.answer({ messages: [incoming("new 1")], epoch: 1 });
    expect((await after).text()).toBe("new 1");
    expect(driver.sought).toEqual([[{ streamKey: "s", shardId: 0, position: "beginning" }]]);
  });

  it("takes messages of the new place that come before the seek's own answer", async () => {
    const { consumer, driver } = await consumerOn();
    const first = consumer.next();
    driver.give("old 1", "old 2");
    await first;
    await turns();
    const gate = Promise.withResolvers<void>();
    driver.seekGate = gate.promise;
    const moved = consumer.rewind("beginning");
    driver.answer({ messages: [incoming("new 1")], epoch: 1 });
    await turns();
    gate.resolve();
    await moved;
    expect((await consumer.next()).text()).toBe("new 1");
  });

  it("hands nothing over while it is under way, to nobody who waits", async () => {
    const { consumer, driver } = await consumerOn();
    const gate = Promise.withResolvers<void>();
    driver.seekGate = gate.promise;
    const waiting = consumer.next();
    await turns();
    const moved = consumer.seek(new Date(5));
    driver.answer({ messages: [incoming("old")], epoch: 0 });
    await turns();
    gate.resolve();
    await moved;
    await turns();
    driver.answer({ messages: [incoming("new")], epoch: 1 });
    expect((await waiting).text()).toBe("new");
  });

  it("is not outrun by a codec that was still at work on what came before", async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const codec: Decoder<string> = {
      decode: async (bytes) => {
        const text = Buffer.from(bytes).toString();
        if (text.startsWith("old")) {
          const gate = Promise.withResolvers<void>();
          gates.push(gate);
          await gate.promise;
        }
        return text;
      },
    };
    const { consumer, driver } = await consumerOn({ codec });
    const waiting = consumer.next();
    driver.give("old");
    await turns();
    expect(gates).toHaveLength(1);
    await consumer.rewind("beginning");
    gates[0]?.resolve();
    await turns();
    driver.answer({ messages: [incoming("new")], epoch: 1 });
    expect((await waiting).value).toBe("new");
  });

  it("begins a bounded read that had ended again", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    driver.answer({ messages: [incoming("1")], ended: true });
    expect((await consumer.next()).text()).toBe("1");
    await expect(consumer.next()).rejects.toMatchObject({ code: "stream-ended" });
    await consumer.rewind("beginning");
    driver.answer({ messages: [incoming("1")], epoch: 1, ended: true });
    expect((await consumer.next()).text()).toBe("1");
  });

  it("that fails leaves the place as it was", async () => {
    const { consumer, driver } = await consumerOn();
    const next = consumer.next();
    driver.give("1", "2");
    await next;
    driver.seekGate = Promise.reject(lasting("no"));
    await expect(consumer.rewind("end")).rejects.toMatchObject({ code: "backend" });
    expect((await consumer.next()).text()).toBe("2");
  });

  it("can be given up, and is bounded by timeoutMs", async () => {
    const { consumer, driver, clock } = await consumerOn();
    driver.seekGate = new Promise(() => {});
    const slow = expect(consumer.rewind("end")).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(10_000);
    await slow;
    await expect(consumer.seek(5, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    await expect(consumer.seek(new Date(Number.NaN))).rejects.toThrow(TypeError);
  });
});

describe("lag", () => {
  it("counts what is stored and what waits here", async () => {
    const { consumer, driver } = await consumerOn(
      {},
      new ScriptedConsumer([
        { streamKey: "s", shardId: 0 },
        { streamKey: "s", shardId: 1 },
      ]),
    );
    const next = consumer.next();
    driver.give(incoming("1"), incoming("2"), incoming("3", { shardId: 1 }));
    await next;
    expect(await consumer.lag()).toEqual([
      { streamKey: "s", shardId: 0, messages: 8 },
      { streamKey: "s", shardId: 1, messages: 8 },
    ]);
  });
});
