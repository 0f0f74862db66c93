import { connect } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import { expect, test } from "vitest";
import { ManualTime } from "../wait/manual-time.ts";
import { abandon } from "./abandon.ts";

const LEASE_MS = 1_000;

test("what an abandoned consumer held comes back when its lease has passed, and its acks that were not committed are lost", async () => {
  const time = new ManualTime();
  await using streamer = await connect(`memory://${crypto.randomUUID()}`, { drivers: [memory()], clock: time.clock() });
  const open = () =>
    streamer.createConsumer("s", {
      mode: "load-balanced",
      group: "g",
      autoStreamReset: "earliest",
      autoCommit: "rolling",
      memory: { claimIdleMs: LEASE_MS, claimIntervalMs: 10 },
    });
  await (await streamer.createProducer("s")).sendMany(["committed", "acked", "held"].map((value) => ({ value })));
  const dying = await open();
  const messages = await dying.fetch({ maxMessages: 3, expiresMs: 0 });
  messages[0]?.ack();
  await dying.commit();
  messages[1]?.ack();
  await abandon(dying);
  const heir = await open();
  await time.advance(LEASE_MS - 20);
  expect(await heir.fetch({ maxMessages: 3, expiresMs: 0 })).toEqual([]);
  await time.advance(20);
  const left = await heir.fetch({ maxMessages: 3, expiresMs: 0 });
  expect(left.map((message) => [message.text(), message.deliveryCount])).toEqual([
    ["acked", 2],
    ["held", 2],
  ]);
  expect(messages[2]?.ack()).toBe(false);
});

test("reads of an abandoned consumer that wait end, and closing it is harmless", async () => {
  await using streamer = await connect(`memory://${crypto.randomUUID()}`, { drivers: [memory()] });
  const consumer = await streamer.createConsumer("s", { mode: "load-balanced", group: "g" });
  const waiting = consumer.next();
  await Promise.all([expect(waiting).rejects.toMatchObject({ code: "closed" }), abandon(consumer)]);
  await expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
  await consumer.close();
});
