import { describe, expect, it } from "vitest";
import { turns } from "../../test/manual-clock.ts";
import { consumerOn, incoming } from "../../test/scripted-consumer.ts";

describe("a stream", () => {
  it("gives messages until the end of a bounded read, and can be opened again", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    driver.answer({ messages: [incoming("1"), incoming("2")], ended: true });
    const seen: string[] = [];
    for await (const message of consumer) seen.push(message.text());
    expect(seen).toEqual(["1", "2"]);
    for await (const message of consumer.stream()) seen.push(message.text());
    expect(seen).toHaveLength(2);
  });

  it("ends with the consumer's close, also while it waits", async () => {
    const { consumer } = await consumerOn();
    const stream = consumer.stream();
    const waiting = stream.next();
    await turns();
    await consumer.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it("that is left gives the consumer back, with what comes next", async () => {
    const { consumer, driver } = await consumerOn();
    driver.give("1", "2", "3", "4");
    for await (const message of consumer) {
      expect(message.text()).toBe("1");
      break;
    }
    await expect(
      (async () => {
        for await (const message of consumer) throw new Error(message.text());
      })(),
    ).rejects.toThrow("2");
    expect((await consumer.next()).text()).toBe("3");
    await consumer.stream().return?.();
    expect((await consumer.next()).text()).toBe("4");
  });

  it.each(["return", "throw"] as const)("that is left by %s while it waits leaves the next message to the next reader", async (how) => {
    const { consumer, driver } = await consumerOn();
    const stream = consumer.stream();
    const waiting = stream.next();
    await turns();
    if (how === "return") expect(await stream.return?.()).toEqual({ done: true, value: undefined });
    else await expect(stream.throw?.(new Error("enough"))).rejects.toThrow("enough");
    expect(await waiting).toEqual({ done: true, value: undefined });
    const next = consumer.next();
    driver.give("1");
    expect((await next).text()).toBe("1");
  });

  it("serves calls of its next in order", async () => {
    const { consumer, driver } = await consumerOn();
    const stream = consumer.stream();
    const calls = [stream.next(), stream.next()];
    driver.give("1", "2");
    expect((await Promise.all(calls)).map(({ value }) => value?.text())).toEqual(["1", "2"]);
    await stream.return?.();
  });

  it("is one at a time: every other read is consumer-busy meanwhile", async () => {
    const { consumer } = await consumerOn();
    const stream = consumer.stream();
    const busy = expect.objectContaining({ code: "consumer-busy" });
    expect(() => consumer.stream()).toThrow(busy);
    expect(() => consumer.readable()).toThrow(busy);
    await expect(consumer.next()).rejects.toEqual(busy);
    await expect(consumer.fetch({ maxMessages: 1, expiresMs: 0 })).rejects.toEqual(busy);
    await stream.return?.();
    await stream.return?.();
    const other = consumer.stream();
    // The first one's second return has not given away what the other one holds.
    expect(() => consumer.stream()).toThrow(busy);
    await other.return?.();
    await consumer.close();
    expect(() => consumer.stream()).toThrow(expect.objectContaining({ code: "closed" }));
  });
});

describe("a readable", () => {
  it("reads nothing ahead of its reader", async () => {
    const { consumer, driver } = await consumerOn();
    const reader = consumer.readable().getReader();
    await turns();
    expect(driver.limits).toHaveLength(0);
    const read = reader.read();
    driver.give("1", "2");
    expect((await read).value?.text()).toBe("1");
    await turns();
    await reader.cancel();
    expect((await consumer.next()).text()).toBe("2");
  });

  it("that is cancelled while it waits leaves the next message to the next reader", async () => {
    const { consumer, driver } = await consumerOn();
    const reader = consumer.readable().getReader();
    const read = reader.read();
    await turns();
    await reader.cancel();
    expect(await read).toEqual({ done: true, value: undefined });
    const next = consumer.next();
    driver.give("1");
    expect((await next).text()).toBe("1");
  });

  it("closes at the end, and errors with what reading failed with", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    driver.answer({ messages: [incoming("1")], ended: true });
    const seen: string[] = [];
    for await (const message of consumer.readable()) seen.push(message.text());
    expect(seen).toEqual(["1"]);

    const { consumer: failing, driver: broken } = await consumerOn();
    broken.fail(new Error("gone"));
    await expect(failing.readable().getReader().read()).rejects.toMatchObject({ code: "backend" });
    broken.give("1");
    expect((await failing.next()).text()).toBe("1");
  });
});
