import { connect } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import { expect, test } from "vitest";
import { drain } from "./drain.ts";

async function sent(...texts: readonly string[]) {
  const streamer = await connect(`memory://${crypto.randomUUID()}`, { drivers: [memory()] });
  const producer = await streamer.createProducer("s");
  await producer.sendMany(texts.map((value) => ({ value })));
  return { streamer, producer };
}

test("gives everything that is there, in order, and leaves what comes later", async () => {
  const { streamer, producer } = await sent("a", "b", "c");
  await using _ = streamer;
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  expect((await drain(consumer, { quietMs: 20 })).map((message) => message.text())).toEqual(["a", "b", "c"]);
  expect(await drain(consumer, { quietMs: 1 })).toEqual([]);
  await producer.send("d");
  expect((await drain(consumer, { quietMs: 20 })).map((message) => message.text())).toEqual(["d"]);
});

test("ends with a bounded read, without waiting for quiet", async () => {
  const { streamer } = await sent("a", "b");
  await using _ = streamer;
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest", until: "end" });
  expect(await drain(consumer, { quietMs: 1_000_000 })).toHaveLength(2);
});

test("rejects when the stream does not fall quiet, and with what a read fails with", async () => {
  const { streamer, producer } = await sent("a");
  await using _ = streamer;
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  let keepOn = true;
  const writing = (async () => {
    while (keepOn) await producer.send("more");
  })();
  await expect(drain(consumer, { quietMs: 10_000, timeoutMs: 50 })).rejects.toThrow(/did not fall quiet within 50 ms/);
  keepOn = false;
  await writing;
  await consumer.close();
  await expect(drain(consumer)).rejects.toMatchObject({ code: "closed" });
});
