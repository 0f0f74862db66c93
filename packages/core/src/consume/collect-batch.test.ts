import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { lasting } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { consumerOn, incoming } from "../../test/scripted-consumer.ts";

describe("a batch", () => {
  it("is handed over when it is full, or when its first message has waited for long enough", async () => {
    const { consumer, driver, clock } = await consumerOn();
    const batches: string[][] = [];
    const running = consumer.run((messages) => void batches.push(messages.map((message) => message.text())), {
      batch: { maxMessages: 3, maxWaitMs: 100 },
    });
    driver.give("1", "2", "3", "4");
    await turns();
    expect(batches).toEqual([["1", "2", "3"]]);
    await clock.advance(99);
    driver.give("5");
    await turns();
    expect(batches.length).toBe(1);
    await clock.advance(1);
    expect(batches).toEqual([
      ["1", "2", "3"],
      ["4", "5"],
    ]);
    await consumer.close();
    await running;
    expect(clock.pending).toBe(0);
  });

  it("is what there is at the end of a bounded read", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    const batches: string[][] = [];
    driver.answer({ messages: [incoming("1"), incoming("2")], ended: true });
    await consumer.run((messages) => void batches.push(messages.map((message) => message.text())), {
      batch: { maxMessages: 10, maxWaitMs: 1000 },
    });
    expect(batches).toEqual([["1", "2"]]);
  });

  it("is worked on before the run tells what reading failed with", async () => {
    const { consumer, driver } = await consumerOn();
    const batches: string[][] = [];
    const running = consumer.run((messages) => void batches.push(messages.map((message) => message.text())), {
      batch: { maxMessages: 10, maxWaitMs: 1000 },
    });
    const failed = expect(running).rejects.toMatchObject({ message: expect.stringContaining("gone") });
    driver.give("1");
    await turns();
    driver.fail(lasting("gone"));
    await failed;
    expect(batches).toEqual([["1"]]);
  });

  it("leaves no listener on the signal of its run", async () => {
    const { consumer, driver, clock } = await consumerOn();
    const stop = new AbortController();
    const batches: unknown[] = [];
    const running = consumer.run((messages) => void batches.push(messages), {
      batch: { maxMessages: 1, maxWaitMs: 0 },
      signal: stop.signal,
    });
    for (let i = 0; i < 20; i++) {
      driver.give(String(i));
      await turns();
    }
    expect(batches.length).toBe(20);
    expect(getEventListeners(stop.signal, "abort").length).toBeLessThanOrEqual(1);
    stop.abort();
    await running;
    expect([getEventListeners(stop.signal, "abort").length, clock.pending]).toEqual([0, 0]);
  });
});
