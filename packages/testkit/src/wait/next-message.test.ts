import { connect, isStreamError } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import { expect, test } from "vitest";
import { nextMessage } from "./next-message.ts";

test("gives the first message that matches and passes over those before it", async () => {
  await using streamer = await connect(`memory://${crypto.randomUUID()}`, { drivers: [memory()] });
  const consumer = await streamer.createConsumer("s");
  const producer = await streamer.createProducer("s");
  const found = nextMessage(consumer, (message) => message.text() === "c", { timeoutMs: 5_000 });
  for (const text of ["a", "b", "c", "d"]) await producer.send(text);
  expect((await found).text()).toBe("c");
  expect((await nextMessage(consumer)).text()).toBe("d");
});

test("rejects with timeout and says what came instead", async () => {
  await using streamer = await connect(`memory://${crypto.randomUUID()}`, { drivers: [memory()] });
  const consumer = await streamer.createConsumer("s");
  await (await streamer.createProducer("s")).send("a");
  const error = await nextMessage(consumer, () => false, { timeoutMs: 50 }).catch((reason: unknown) => reason);
  expect(isStreamError(error, "timeout") && /1 came, the last at s 0:1/.test(error.message)).toBe(true);
});

test("passes on why the consumer cannot be read", async () => {
  await using streamer = await connect(`memory://${crypto.randomUUID()}`, { drivers: [memory()] });
  const consumer = await streamer.createConsumer("s");
  await consumer.close();
  await expect(nextMessage(consumer)).rejects.toMatchObject({ code: "closed" });
});
