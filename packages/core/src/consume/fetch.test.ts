import { describe, expect, it } from "vitest";
import { lasting, passing } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { consumerOn, incoming } from "../../test/scripted-consumer.ts";
import { json } from "../message/codec.ts";
import type { Message } from "../message/message.ts";

const texts = (messages: readonly Message<unknown>[]): string[] => messages.map((message) => message.text());

describe("fetch", () => {
  it("asks the backend for no more than it was asked for, and waits no longer than it may", async () => {
    const { consumer, driver, clock } = await consumerOn();
    const fetched = consumer.fetch({ maxMessages: 3, expiresMs: 500 });
    await turns();
    driver.give("1");
    await clock.advance(200);
    driver.give("2", "3");
    expect(texts(await fetched)).toEqual(["1", "2", "3"]);
    expect(driver.limits.map(({ maxMessages, maxWaitMs }) => [maxMessages, maxWaitMs])).toEqual([
      [3, 500],
      [2, 500],
    ]);
    await turns();
    expect(driver.asked).toBe(false);
  });

  it("gives what there is when its time has passed: nothing is normal", async () => {
    const { consumer, driver, clock } = await consumerOn();
    const fetched = consumer.fetch({ maxMessages: 3, expiresMs: 500 });
    await turns();
    driver.give("1");
    await clock.advance(500);
    driver.give();
    expect(texts(await fetched)).toEqual(["1"]);
    expect(await consumer.fetch({ maxMessages: 3, expiresMs: 0 })).toEqual([]);
  });

  it("with no time takes what there is", async () => {
    const { consumer, driver } = await consumerOn();
    driver.give("1");
    expect(texts(await consumer.fetch({ maxMessages: 3, expiresMs: 0 }))).toEqual(["1"]);
    expect(driver.limits.map((limit) => limit.maxWaitMs)).toEqual([0]);
  });

  it("takes what was read ahead first, and nothing is read ahead after it until the next read", async () => {
    const { consumer, driver } = await consumerOn();
    const next = consumer.next();
    driver.give("1", "2", "3", "4");
    await next;
    expect(texts(await consumer.fetch({ maxMessages: 2, expiresMs: 1000 }))).toEqual(["2", "3"]);
    await turns();
    expect(driver.asked).toBe(false);
    expect((await consumer.next()).text()).toBe("4");
  });

  it("that is given up loses nothing", async () => {
    const { consumer, driver } = await consumerOn();
    const next = consumer.next();
    driver.give("1", "2");
    await next;
    const controller = new AbortController();
    const fetched = expect(consumer.fetch({ maxMessages: 5, expiresMs: 1000, signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    await turns();
    driver.give("3");
    await turns();
    controller.abort();
    await fetched;
    expect(texts(await consumer.fetch({ maxMessages: 5, expiresMs: 0 }))).toEqual(["2", "3"]);
    await expect(consumer.fetch({ maxMessages: 1, expiresMs: 0, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  });

  it("keeps what the driver gives at the moment of the abort", async () => {
    const { consumer, driver } = await consumerOn();
    const controller = new AbortController();
    const fetched = expect(consumer.fetch({ maxMessages: 5, expiresMs: 1000, signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    await turns();
    driver.give("1");
    controller.abort();
    await fetched;
    expect(texts(await consumer.fetch({ maxMessages: 5, expiresMs: 0 }))).toEqual(["1"]);
  });

  it("loses nothing when reading fails", async () => {
    const { consumer, driver } = await consumerOn();
    const fetched = expect(consumer.fetch({ maxMessages: 5, expiresMs: 1000 })).rejects.toMatchObject({ code: "backend", retryable: true });
    await turns();
    driver.give("1");
    await turns();
    driver.fail(passing());
    await fetched;
    driver.give("2");
    expect(texts(await consumer.fetch({ maxMessages: 2, expiresMs: 0 }))).toEqual(["1", "2"]);
  });

  it("rejects with what reading ahead failed with before it", async () => {
    const { consumer, driver } = await consumerOn();
    const next = consumer.next();
    driver.give("1");
    await next;
    driver.fail(lasting("gone"));
    await turns();
    await expect(consumer.fetch({ maxMessages: 1, expiresMs: 0 })).rejects.toThrow("gone");
  });

  it("gives the good messages before an undecodable one, then fails for it, then goes on", async () => {
    const { consumer, driver } = await consumerOn({ codec: json<number>() });
    driver.give("1", "{", "3");
    const one = { maxMessages: 5, expiresMs: 0 };
    expect((await consumer.fetch(one)).map((message) => message.value)).toEqual([1]);
    await expect(consumer.fetch(one)).rejects.toMatchObject({ code: "decode-failed" });
    expect((await consumer.fetch(one)).map((message) => message.value)).toEqual([3]);
  });

  it("fills the place of a message that is dropped", async () => {
    const { consumer, driver, events } = await consumerOn({ codec: json<number>(), onDecodeError: "term" });
    driver.give("1", "{");
    const fetched = consumer.fetch({ maxMessages: 2, expiresMs: 500 });
    await turns();
    driver.give("3");
    expect((await fetched).map((message) => message.value)).toEqual([1, 3]);
    expect(events.map((event) => event.code)).toEqual(["message-dropped"]);
  });

  it("gives what there is at the end of a bounded read, and then nothing", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    driver.answer({ messages: [incoming("1")], ended: true });
    expect(texts(await consumer.fetch({ maxMessages: 5, expiresMs: 1000 }))).toEqual(["1"]);
    expect(await consumer.fetch({ maxMessages: 5, expiresMs: 1000 })).toEqual([]);
  });

  it("ends with what it has when the consumer is closed", async () => {
    const { consumer, driver } = await consumerOn();
    const fetched = consumer.fetch({ maxMessages: 5, expiresMs: 1000 });
    await turns();
    driver.give("1");
    await turns();
    await consumer.close();
    expect(texts(await fetched)).toEqual(["1"]);
  });

  it("refuses to be mixed with other reads, and what makes no sense", async () => {
    const { consumer } = await consumerOn();
    const fetched = consumer.fetch({ maxMessages: 1, expiresMs: 1000 });
    await expect(consumer.next()).rejects.toMatchObject({ code: "consumer-busy" });
    await expect(consumer.fetch({ maxMessages: 1, expiresMs: 0 })).rejects.toMatchObject({ code: "consumer-busy" });
    expect(() => consumer.stream()).toThrow(expect.objectContaining({ code: "consumer-busy" }));
    await consumer.close();
    await fetched;

    const { consumer: other } = await consumerOn();
    for (const options of [
      { maxMessages: 0, expiresMs: 0 },
      { maxMessages: 1.5, expiresMs: 0 },
      { maxMessages: 1, expiresMs: -1 },
      { maxMessages: 1, expiresMs: Number.NaN },
    ]) {
      await expect(other.fetch(options)).rejects.toThrow(TypeError);
    }
    const waiting = expect(other.next()).rejects.toMatchObject({ code: "closed" });
    await expect(other.fetch({ maxMessages: 1, expiresMs: 0 })).rejects.toMatchObject({ code: "consumer-busy" });
    await other.close();
    await waiting;
  });
});
