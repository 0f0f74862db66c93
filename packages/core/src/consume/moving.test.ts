import { afterEach, describe, expect, it } from "vitest";
import { fakeDriver, lasting } from "../../test/fake-driver.ts";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { incoming, ScriptedConsumer } from "../../test/scripted-consumer.ts";
import { connect } from "../connect/connect.ts";
import type { Streamer } from "../connect/streamer.ts";
import type { ConsumerRequest } from "../driver/driver-consumer.ts";
import type { Consumer } from "./consumer.ts";
import type { ConsumerOptions } from "./consumer-options.ts";

const open: Streamer[] = [];
let brokers = 0;

afterEach(async () => {
  await Promise.allSettled(open.splice(0).map((streamer) => streamer.close()));
});

async function onMemory(): Promise<{ readonly streamer: Streamer; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  brokers += 1;
  const streamer = await connect(`memory://moving-${brokers}`, { clock });
  open.push(streamer);
  const producer = await streamer.createProducer("s");
  for (let i = 1; i <= 5; i++) await producer.send(String(i));
  return { streamer, clock };
}

const MEMBER = { mode: "load-balanced", group: "g", autoStreamReset: "earliest" } as const;

/** A member of a group, and what is opened when it leaves. */
async function scripted(options: ConsumerOptions<Uint8Array> = {}) {
  const clock = new ManualClock();
  const grouped = new ScriptedConsumer();
  grouped.acks = "each";
  const moved = new ScriptedConsumer();
  const gate: { opening: Promise<void> } = { opening: Promise.resolve() };
  const openConsumer = async (request: ConsumerRequest): Promise<ScriptedConsumer> => {
    const driver = request.mode === "real-time" ? moved : grouped;
    driver.request = request;
    if (driver === moved) await gate.opening;
    return driver;
  };
  const streamer = await connect("fake://moving", { drivers: [fakeDriver({ connection: { openConsumer } })], clock, random: () => 0 });
  const consumer: Consumer = await streamer.createConsumer("s", { ...MEMBER, ...options });
  return { consumer, grouped, moved, clock, gate };
}

describe("a seek out of a group", () => {
  it.each(["on-next", "rolling", "delayed"] as const)(
    "commits, gives the rest back, and leaves the group's position alone (%s)",
    async (autoCommit) => {
      const { streamer } = await onMemory();
      const consumer = await streamer.createConsumer("s", { ...MEMBER, autoCommit });
      const first = await consumer.next();
      if (autoCommit !== "on-next") first.ack();
      const second = await consumer.next();
      await consumer.rewind("beginning");
      expect(second.ack()).toBe(false);
      const texts: string[] = [];
      for (let i = 0; i < 5; i++) texts.push((await consumer.next()).text());
      expect(texts).toEqual(["1", "2", "3", "4", "5"]);
      await expect(consumer.commit()).rejects.toMatchObject({ code: "commit-not-allowed" });
      const other = await streamer.createConsumer("s", { ...MEMBER, autoCommit: "rolling" });
      const rest = await other.fetch({ maxMessages: 10, expiresMs: 0 });
      expect(rest.map((message) => [message.text(), message.deliveryCount])).toEqual([
        ["2", 2],
        ["3", 1],
        ["4", 1],
        ["5", 1],
      ]);
    },
  );

  it("goes on in an open stream, whose last message was given back", async () => {
    const { streamer } = await onMemory();
    const consumer = await streamer.createConsumer("s", MEMBER);
    const seen: string[] = [];
    for await (const message of consumer.stream()) {
      seen.push(message.text());
      if (seen.length === 2) await consumer.rewind("beginning");
      if (seen.length === 5) break;
    }
    expect(seen).toEqual(["1", "2", "1", "2", "3"]);
    expect((await streamer.admin.groupInfo("s", "g")).shards[0]?.committed).toBe(1n);
  });

  it("stays a member when what is acked cannot be committed", async () => {
    const { consumer, grouped } = await scripted({ autoCommit: "rolling" });
    grouped.give(incoming("1", { token: 1 }), incoming("2", { token: 2 }));
    (await consumer.next()).ack();
    grouped.onSettle = ({ kind }) => {
      if (kind === "ack") throw lasting("gone");
      return "done";
    };
    await expect(consumer.rewind("beginning")).rejects.toMatchObject({ message: expect.stringContaining("gone") });
    expect([grouped.closed, (await consumer.next()).text()]).toEqual([0, "2"]);
    await consumer.close();
  });

  it("that cannot be opened fails those who wait and those who ask, and can be tried again", async () => {
    const { consumer, grouped, moved, gate } = await scripted({ autoCommit: "rolling" });
    const failing = Promise.withResolvers<void>();
    gate.opening = failing.promise;
    const seeking = consumer.rewind("beginning");
    const failed = expect(seeking).rejects.toMatchObject({ message: expect.stringContaining("not now") });
    const waiting = expect(consumer.next()).rejects.toMatchObject({ message: expect.stringContaining("not now") });
    await turns();
    failing.reject(lasting("not now"));
    await failed;
    await waiting;
    await expect(consumer.next()).rejects.toMatchObject({ message: expect.stringContaining("not now") });
    await expect(consumer.fetch({ maxMessages: 1, expiresMs: 0 })).rejects.toMatchObject({ message: expect.stringContaining("not now") });
    gate.opening = Promise.resolve();
    await consumer.rewind("beginning");
    moved.give("1");
    expect((await consumer.next()).text()).toBe("1");
    await consumer.close();
    expect([grouped.closed, moved.closed]).toEqual([1, 1]);
  });

  it("is over before a close that comes meanwhile, and nothing stays open", async () => {
    const { consumer, grouped, moved, gate, clock } = await scripted();
    const opening = Promise.withResolvers<void>();
    gate.opening = opening.promise;
    const seeking = expect(consumer.rewind("beginning")).rejects.toMatchObject({ code: expect.stringMatching(/closed|aborted/) });
    await turns();
    const closing = consumer.close();
    opening.resolve();
    await seeking;
    await closing;
    await turns();
    expect([grouped.closed, moved.closed, clock.pending]).toEqual([1, 1, 0]);
    await expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
  });

  it("is not held up by a rebalance that its leaving cut short", async () => {
    const { consumer, grouped, moved } = await scripted();
    await grouped.request?.onRevoking([{ streamKey: "s", shardId: 0 }], { signal: AbortSignal.timeout(1000) });
    await consumer.rewind("beginning");
    moved.give("1");
    expect((await consumer.next()).text()).toBe("1");
    await consumer.close();
  });
});

describe("asking for two at once on-next", () => {
  it("is refused, also in the moment between a message's arrival and its hand-over, so that none is left un-acked", async () => {
    const { consumer, grouped } = await scripted();
    const first = consumer.next();
    await expect(consumer.next()).rejects.toMatchObject({ code: "consumer-busy" });
    await turns();
    grouped.give(incoming("1", { token: 1 }), incoming("2", { token: 2 }));
    let second: string | undefined;
    while (second === undefined) {
      second = await consumer.next().then(
        (message) => message.text(),
        () => undefined,
      );
    }
    expect([(await first).text(), second]).toEqual(["1", "2"]);
    await consumer.close();
    expect(grouped.told()).toEqual(["ack 1", "release 2"]);
  });

  it("ends a stream with that error", async () => {
    const { consumer, grouped } = await scripted();
    const stream = consumer.stream();
    const first = stream.next();
    await expect(stream.next()).rejects.toMatchObject({ code: "consumer-busy" });
    expect(await first).toEqual({ done: true, value: undefined });
    grouped.give("1");
    expect((await consumer.next()).text()).toBe("1");
    await consumer.close();
  });
});

describe("pause", () => {
  it("holds through a seek, and resume reads from there", async () => {
    const { streamer } = await onMemory();
    const consumer = await streamer.createConsumer("s", MEMBER);
    consumer.pause();
    let got: string | undefined;
    const next = consumer.next().then((message) => (got = message.text()));
    await consumer.rewind({ at: 3n });
    await turns();
    expect(got).toBe(undefined);
    consumer.resume();
    await next;
    expect(got).toBe("3");
  });
});

describe("drain", () => {
  it("ends loops that wait, and hands nothing to them", async () => {
    const { consumer, grouped } = await scripted();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const message of consumer.stream()) seen.push(message.text());
    })();
    await turns();
    await consumer.drain();
    grouped.give("1");
    await loop;
    expect(seen).toEqual([]);
    await consumer.close();
    expect(grouped.settled.every(({ kind }) => kind === "release")).toBe(true);
  });

  it.each(["on-next", "rolling"] as const)("waits for a loop that has a message to ask for the next (%s)", async (autoCommit) => {
    const { consumer, grouped } = await scripted({ autoCommit });
    grouped.give(incoming("1", { token: 1 }), incoming("2", { token: 2 }));
    const work = Promise.withResolvers<void>();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const message of consumer.stream()) {
        seen.push(message.text());
        await work.promise;
        if (autoCommit === "rolling") message.ack();
      }
    })();
    await turns();
    let isDrained = false;
    const drained = consumer.drain().then(() => (isDrained = true));
    await turns();
    expect(isDrained).toBe(false);
    work.resolve();
    await drained;
    await loop;
    await consumer.close();
    expect([seen, grouped.told("ack")]).toEqual([["1"], ["ack 1"]]);
  });

  it("waits for a message of next() that is not settled, and not for one that is", async () => {
    const { consumer, grouped } = await scripted();
    grouped.give(incoming("1", { token: 1 }), incoming("2", { token: 2 }));
    await consumer.next();
    let isDrained = false;
    const drained = consumer.drain().then(() => (isDrained = true));
    await turns();
    expect(isDrained).toBe(false);
    await expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
    await drained;
    await consumer.close();
    expect(grouped.told("ack")).toEqual(["ack 1"]);

    const other = await scripted();
    other.grouped.give("1");
    (await other.consumer.next()).ack();
    await other.consumer.drain();
    await expect(other.consumer.fetch({ maxMessages: 1, expiresMs: 0 })).rejects.toMatchObject({ code: "closed" });
    await other.consumer.close();
  });
});
