import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/manual-clock.ts";
import { connect } from "../connect/connect.ts";
import type { Streamer } from "../connect/streamer.ts";
import type { Consumer } from "../consume/consumer.ts";
import type { ConsumerOptions } from "../consume/consumer-options.ts";

let brokers = 0;

async function rig(messages: number) {
  const clock = new ManualClock();
  brokers += 1;
  const streamer: Streamer = await connect(`memory://group-${brokers}`, { clock });
  const producer = await streamer.createProducer("s");
  await producer.sendMany(Array.from({ length: messages }, (_, i) => ({ value: String(i + 1) })));
  const member = (options: ConsumerOptions<Uint8Array> = {}): Promise<Consumer> =>
    streamer.createConsumer("s", {
      mode: "load-balanced",
      group: "g",
      autoStreamReset: "earliest",
      autoCommit: "rolling",
      memory: { claimIdleMs: 1000, claimIntervalMs: 100 },
      ...options,
    } as ConsumerOptions<Uint8Array>);
  return { clock, streamer, producer, member };
}

async function fetchAll(consumer: Consumer, maxMessages = 100): Promise<string[]> {
  const messages = await consumer.fetch({ maxMessages, expiresMs: 0 });
  return messages.map((message) => `${message.text()}/${message.deliveryCount}`);
}

describe("a group in memory", () => {
  it("gives what a member gave back first, in order, and counts only what was handed over", async () => {
    const { streamer, member } = await rig(5);
    await using _ = streamer;
    const first = await member();
    await first.next();
    await first.next();
    await first.close();
    expect(await fetchAll(await member())).toEqual(["1/2", "2/2", "3/1", "4/1", "5/1"]);
  });

  it("gives what a dead member had once it was idle for long enough, never twice, and takes nothing from a live one", async () => {
    const { streamer, clock, member } = await rig(4);
    await using _ = streamer;
    const dying = await member();
    expect(await fetchAll(dying, 2)).toEqual(["1/1", "2/1"]);
    const living = await member();
    expect(await fetchAll(living, 1)).toEqual(["3/1"]);
    dying.abandon();
    const other = await member();
    expect(await fetchAll(other)).toEqual(["4/1"]);
    await clock.advance(2000);
    expect(await fetchAll(other)).toEqual(["1/2", "2/2"]);
    expect(await fetchAll(living)).toEqual([]);
  });

  it("takes in ten thousand given back, and gives them in order", async () => {
    const count = 10_000;
    const { streamer, member } = await rig(count);
    await using _ = streamer;
    const first = await member();
    expect((await first.fetch({ maxMessages: count, expiresMs: 0 })).length).toBe(count);
    await first.close();
    const again = await fetchAll(await member(), count);
    expect(again).toEqual(Array.from({ length: count }, (_unused, i) => `${i + 1}/2`));
  });

  it("ends a bounded read when all up to there is settled, and gives back what lies beyond", async () => {
    const { streamer, producer, member, clock } = await rig(3);
    await using _ = streamer;
    const consumer = await member({ until: "end", autoCommit: "on-next" });
    await producer.send("4");
    const seen: string[] = [];
    let isFirst = true;
    for await (const message of consumer.stream()) {
      seen.push(`${message.text()}/${message.deliveryCount}`);
      if (isFirst) {
        isFirst = false;
        message.nak();
        await clock.advance(0);
      }
    }
    expect(seen.toSorted()).toEqual(["1/1", "1/2", "2/1", "3/1"]);
    await consumer.close();
    expect(await fetchAll(await member())).toEqual(["4/1"]);
  });

  it("is moved by resetGroup, but not while it has live members", async () => {
    const { streamer, member, clock } = await rig(3);
    await using _ = streamer;
    const consumer = await member();
    for (const message of await consumer.fetch({ maxMessages: 3, expiresMs: 0 })) message.ack();
    await expect(streamer.admin.resetGroup("s", "g", "beginning")).rejects.toMatchObject({ code: "group-in-use" });
    await consumer.close();
    await streamer.admin.resetGroup("s", "g", { at: 2n });
    expect(await fetchAll(await member())).toEqual(["2/1", "3/1"]);
    await clock.advance(0);
  });

  it("lets a second reader of a resumable group in when the first has closed, or its lease is over", async () => {
    const { streamer, member, clock } = await rig(1);
    await using _ = streamer;
    const options = { mode: "resumable", memory: { readerLeaseMs: 5000 } } as ConsumerOptions<Uint8Array>;
    const first = await member(options);
    const refused = expect(member({ ...options, timeoutMs: 1000 })).rejects.toMatchObject({ code: "group-in-use", retryable: true });
    await clock.advance(8000);
    await refused;
    first.abandon();
    const second = member(options);
    await clock.advance(5200);
    expect(await fetchAll(await second)).toEqual(["1/1"]);
  });
});
