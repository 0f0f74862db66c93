import { describe, expect, it } from "vitest";
import { fakeDriver, lasting } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { consumerOn, incoming, ScriptedConsumer } from "../../test/scripted-consumer.ts";
import { ScriptedProducer } from "../../test/scripted-producer.ts";
import { connect } from "../connect/connect.ts";
import { json } from "../message/codec.ts";
import type { Producer } from "../produce/producer.ts";
import type { ProducerOptions } from "../produce/producer-options.ts";
import { relay } from "./relay.ts";

async function producerOn<T = string | Uint8Array>(
  driver: ScriptedProducer,
  options: ProducerOptions<T> = {},
  streamKey?: string,
): Promise<Producer<T>> {
  const drivers = [fakeDriver({ connection: { openProducer: async () => driver } })];
  const streamer = await connect("fake://relay", { drivers });
  return streamer.createProducer<T>(streamKey, options);
}

/** Stores whatever comes, as long as the test runs. */
function storeAll(driver: ScriptedProducer): ScriptedProducer {
  const send = driver.send.bind(driver);
  driver.send = (batch, call) => {
    const sent = send(batch, call);
    driver.at(-1).store();
    return sent;
  };
  return driver;
}

function endWith(driver: ScriptedConsumer, ...texts: string[]): void {
  driver.answer({ messages: texts.map((text) => incoming(text)), ended: true });
}

describe("relay", () => {
  it("sends payload, key, headers, time and id on, to the anchor, and counts", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    const target = storeAll(new ScriptedProducer());
    const producer = await producerOn(target, {}, "copy");
    const headers = [
      ["a", "1"],
      ["a", "2"],
      ["seaway-origin-stream", "older"],
    ] as const;
    driver.answer({ messages: [incoming("1", { key: "k", messageId: "m", headers })], ended: true });
    expect(await relay(consumer, producer)).toEqual({ received: 1, sent: 1 });
    const [sent] = target.at(0).messages;
    expect(target.texts).toEqual([["1"]]);
    expect([sent?.streamKey, sent?.messageId, sent?.timestampMs, sent?.key]).toEqual(["copy", "m", 1000, new Uint8Array([0x6b])]);
    // What tells of the other message's own way stays behind.
    expect(sent?.headers).toEqual([
      ["a", "1"],
      ["a", "2"],
    ]);
  });

  it("goes to the stream of the same name where the producer has no anchor", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    const target = storeAll(new ScriptedProducer());
    endWith(driver, "1");
    await relay(consumer, await producerOn(target));
    expect(target.stored.get("s/0")).toEqual(["1"]);
  });

  it("says where each message came from with originHeaders", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    const target = storeAll(new ScriptedProducer());
    driver.answer({ messages: [incoming("1", { sequence: 77, headers: [["a", "1"]] })], ended: true });
    await relay(consumer, await producerOn(target, {}, "copy"), { originHeaders: true });
    expect(target.at(0).messages[0]?.headers).toEqual([
      ["a", "1"],
      ["seaway-origin-stream", "s"],
      ["seaway-origin-shard", "0"],
      ["seaway-origin-sequence", "77"],
      ["seaway-origin-timestamp", "1000"],
    ]);
  });

  it("sends what transform gives, one, many or none, at once or later, in order", async () => {
    const { consumer, driver } = await consumerOn<number>({ until: "end", codec: json<number>() });
    const target = storeAll(new ScriptedProducer({ batchMessages: 100 }));
    const producer = await producerOn<string>(target, { codec: json<string>() }, "copy");
    endWith(driver, "0", "1", "2", "3");
    const result = await relay(consumer, producer, {
      transform: async (message) => {
        await turns(message.value === 1 ? 2 : 0);
        if (message.value === 0) return undefined;
        if (message.value === 2) return { value: "two", streamKey: "elsewhere" };
        return Array.from({ length: message.value }, (_, i) => ({ value: `${message.value}.${i}`, key: "k" }));
      },
    });
    expect(result).toEqual({ received: 4, sent: 5 });
    expect(target.stored.get("copy/0")).toEqual(['"1.0"', '"3.0"', '"3.1"', '"3.2"']);
    expect(target.stored.get("elsewhere/0")).toEqual(['"two"']);
  });

  it("rejects with the first failure, after what is in flight has settled, and reads no more", async () => {
    const { consumer, driver } = await consumerOn();
    const target = new ScriptedProducer({ batchMessages: 1 });
    let outcome: unknown;
    const relayed = relay(consumer, await producerOn(target, {}, "copy")).catch((error: unknown) => {
      outcome = error;
    });
    await turns();
    driver.give("1", "2");
    await turns();
    expect(target.texts).toEqual([["1"], ["2"]]);
    target.at(0).settleAll({ stored: false, error: lasting("refused") });
    await turns();
    expect(outcome).toBeUndefined();
    target.at(1).store();
    await relayed;
    expect(outcome).toMatchObject({ code: "backend", message: expect.stringContaining("refused") });
    // What comes next is for whoever reads next.
    driver.give("3");
    expect((await consumer.next()).text()).toBe("3");
  });

  it("rejects with what transform throws, after what is in flight has settled", async () => {
    const { consumer, driver } = await consumerOn();
    const target = new ScriptedProducer();
    const mistake = new Error("mine");
    let outcome: unknown;
    const relayed = relay(consumer, await producerOn(target, {}, "copy"), {
      transform: (message) => {
        if (message.text() === "2") throw mistake;
        return { value: message.payload };
      },
    }).catch((error: unknown) => {
      outcome = error;
    });
    driver.give("1", "2");
    await turns();
    expect([outcome, target.texts]).toEqual([undefined, [["1"]]]);
    target.at(0).store();
    await relayed;
    expect(outcome).toBe(mistake);
  });

  it("resolves when its signal aborts, once what it read is stored", async () => {
    const { consumer, driver } = await consumerOn();
    const target = new ScriptedProducer();
    const controller = new AbortController();
    let result: unknown;
    const relayed = relay(consumer, await producerOn(target, {}, "copy"), { signal: controller.signal }).then((found) => {
      result = found;
    });
    driver.give("1");
    await turns();
    controller.abort();
    await turns();
    expect(result).toBeUndefined();
    target.at(0).store();
    await relayed;
    expect(result).toEqual({ received: 1, sent: 1 });
    driver.give("2");
    expect((await consumer.next()).text()).toBe("2");
  });

  it("resolves when the consumer is closed, and rejects with what reading failed with", async () => {
    const { consumer } = await consumerOn();
    const target = storeAll(new ScriptedProducer());
    const relayed = relay(consumer, await producerOn(target, {}, "copy"));
    await turns();
    await consumer.close();
    expect(await relayed).toEqual({ received: 0, sent: 0 });

    const { consumer: failing, driver } = await consumerOn();
    driver.fail(lasting("gone"));
    await expect(relay(failing, await producerOn(target, {}, "copy"))).rejects.toThrow("gone");
  });

  it("reads no further while the producer has too much", async () => {
    const { consumer, driver } = await consumerOn({ until: "end" });
    const target = new ScriptedProducer({ batchMessages: 100 });
    const relayed = relay(consumer, await producerOn(target, { highWaterBytes: 1200 }, "copy"));
    endWith(driver, "1", "2", "3", "4", "5");
    await turns(6);
    expect(target.texts.flat()).toHaveLength(3);
    target.at(0).store();
    await turns(6);
    expect(target.texts.flat()).toHaveLength(5);
    target.at(-1).store();
    expect(await relayed).toEqual({ received: 5, sent: 5 });
  });

  it("has at most 10,000 inputs open", async () => {
    const { consumer, driver } = await consumerOn({ until: "end", maxPrefetchMessages: 20_000 });
    const target = new ScriptedProducer({ batchMessages: 100_000, batchesInFlight: 1000 });
    const relayed = relay(consumer, await producerOn(target, { maxBatchBytes: 1e9, highWaterBytes: 1e9 }, "copy"));
    endWith(driver, ...Array.from({ length: 12_000 }, () => "x"));
    await turns(20);
    expect(target.texts.flat()).toHaveLength(10_000);
    for (const batch of target.batches) batch.store();
    await turns(20);
    for (const batch of target.batches) batch.store();
    expect(await relayed).toEqual({ received: 12_000, sent: 12_000 });
  });
});

describe("relay of a group", () => {
  async function group(autoCommit?: "immediate" | "disabled" | "rolling" | "delayed") {
    const driver = new ScriptedConsumer();
    driver.acks = autoCommit === "immediate" ? "none" : "each";
    driver.leaseMs = 60_000;
    const options = { mode: "load-balanced", group: "g", autoCommit, autoCommitDelayMs: 1 } as const;
    const rig = await consumerOn(options, driver);
    const give = (...sequences: number[]): void =>
      driver.give(...sequences.map((sequence) => incoming(String(sequence), { sequence, token: sequence })));
    return { ...rig, give };
  }

  it("acks an input only after its receipt, never for its age, and gives those that were not stored again", async () => {
    const { consumer, driver, give, clock } = await group("delayed");
    const target = new ScriptedProducer();
    const producer = await producerOn(target, { sendTimeoutMs: 1000 }, "copy");
    give(1, 2);
    const relayed = relay(consumer, producer);
    const failed = expect(relayed).rejects.toMatchObject({ message: expect.stringContaining("full") });
    await turns();
    await clock.advance(5000);
    await consumer.commit();
    expect(driver.told("ack")).toEqual([]);
    target.at(0).settle("stored", { stored: false, error: lasting("full") });
    await failed;
    await clock.advance(0);
    const again = await consumer.next();
    expect([again.text(), again.deliveryCount]).toEqual(["2", 2]);
    await consumer.close();
    expect(driver.told("ack")).toEqual(["ack 1"]);
  });

  it("gives the message again on which the transformation failed", async () => {
    const { consumer, driver, give, clock } = await group("rolling");
    const producer = await producerOn(storeAll(new ScriptedProducer()), {}, "copy");
    give(1);
    const transform = (): never => {
      throw new Error("not this one");
    };
    await expect(relay(consumer, producer, { transform })).rejects.toThrow("not this one");
    await clock.advance(0);
    expect((await consumer.next()).deliveryCount).toBe(2);
    await consumer.close();
    expect(driver.told("ack")).toEqual([]);
  });

  it("does nothing to a message that the transformation settled itself", async () => {
    const { consumer, driver, give } = await group("rolling");
    const producer = await producerOn(storeAll(new ScriptedProducer()), {}, "copy");
    give(1, 2);
    const stop = new AbortController();
    const relayed = relay(consumer, producer, {
      signal: stop.signal,
      transform: (message) => {
        message.term("of no use");
        return undefined;
      },
    });
    await turns();
    stop.abort();
    expect(await relayed).toEqual({ received: 2, sent: 0 });
    await consumer.close();
    expect(driver.told()).toEqual(["term 1", "term 2"]);
  });

  it("passes on what no broker tracks, and refuses what it may not ack", async () => {
    const immediate = await group("immediate");
    const target = storeAll(new ScriptedProducer());
    immediate.give(1);
    const stop = new AbortController();
    const relayed = relay(immediate.consumer, await producerOn(target, {}, "copy"), { signal: stop.signal });
    await turns();
    stop.abort();
    expect([await relayed, immediate.driver.settled]).toEqual([{ received: 1, sent: 1 }, []]);
    const disabled = await group("disabled");
    await expect(relay(disabled.consumer, await producerOn(target, {}, "copy"))).rejects.toMatchObject({ code: "invalid-option" });
  });
});
