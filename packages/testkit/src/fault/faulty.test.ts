import { connect, isStreamError } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import { expect, test } from "vitest";
import { eventually } from "../wait/eventually.ts";
import { type FaultyOptions, faulty } from "./faulty.ts";

async function scene(options: FaultyOptions) {
  const driver = faulty(memory(), options);
  const streamer = await connect(`memory://faulty-${crypto.randomUUID()}`, { drivers: [driver], random: () => 0 });
  const consumer = await streamer.createConsumer("s", { autoStreamReset: "earliest" });
  const producer = await streamer.createProducer("s", { sendTimeoutMs: 5_000 });
  return {
    driver,
    streamer,
    consumer,
    producer,
    read: async (count: number) => {
      const signal = AbortSignal.timeout(5_000);
      const texts: string[] = [];
      while (texts.length < count) texts.push((await consumer.next({ signal })).text());
      return texts;
    },
    [Symbol.asyncDispose]: () => streamer.close(),
  };
}

test("passes everything on when nothing is planned", async () => {
  await using s = await scene({});
  await s.producer.send("a");
  await s.producer.send("b");
  expect(await s.read(2)).toEqual(["a", "b"]);
  expect(s.driver.calls("send")).toBe(2);
});

test("fails a send before storing, and a retry stores it once", async () => {
  await using s = await scene({ plan: { send: [{ fault: "fail-before", calls: [1] }] } });
  await s.producer.send("a");
  await s.producer.send("b");
  expect(await s.read(2)).toEqual(["a", "b"]);
  expect(s.driver.calls("send")).toBe(3);
});

test("loses the answer of a send that was stored", async () => {
  await using s = await scene({ plan: { send: [{ fault: "fail-after", calls: [1], retryable: false, code: "timeout" }] } });
  const error = await s.producer.send("a").catch((reason: unknown) => reason);
  expect(isStreamError(error, "timeout") && !error.retryable).toBe(true);
  expect(await s.read(1)).toEqual(["a"]);
});

test("stores a batch twice", async () => {
  await using s = await scene({ plan: { send: [{ fault: "duplicate", calls: [2] }] } });
  for (const text of ["a", "b", "c"]) await s.producer.send(text);
  expect(await s.read(4)).toEqual(["a", "b", "b", "c"]);
});

test("delivers what was received twice, or with the next read, without losing any", async () => {
  await using s = await scene({ plan: { receive: [{ fault: "duplicate", times: 1 }] } });
  const read = s.read(3);
  await s.producer.send("a");
  await eventually("it was read", () => s.driver.calls("receive") > 1);
  await s.producer.send("b");
  expect(await read).toEqual(["a", "a", "b"]);
  await using t = await scene({ plan: { receive: [{ fault: "fail-after", calls: [1] }] } });
  await t.producer.send("a");
  await t.producer.send("b");
  expect(await t.read(2)).toEqual(["a", "b"]);
});

test("holds sends back in order until they are released", async () => {
  await using s = await scene({});
  s.driver.hold("send");
  const sent = [s.producer.send("a")];
  await eventually("it is held", () => s.driver.held("send") === 1);
  sent.push(s.producer.send("b"));
  s.driver.release("send");
  await Promise.all(sent);
  expect(await s.read(2)).toEqual(["a", "b"]);
});

test("fails what is called while disconnected, and goes on after", async () => {
  await using s = await scene({});
  const read = s.read(1);
  await eventually("it reads", () => s.driver.calls("receive") > 0);
  s.driver.disconnect();
  expect(isStreamError(await s.streamer.ping().catch((error: unknown) => error), "connect-failed")).toBe(true);
  const sent = s.producer.send("a");
  await eventually("it was tried", () => s.driver.calls("send") > 0);
  s.driver.reconnect();
  await sent;
  expect(await read).toEqual(["a"]);
});

test("fails opening and seeking", async () => {
  const driver = faulty(memory(), { plan: { open: [{ fault: "fail-before", code: "auth-failed", retryable: false }] } });
  expect(isStreamError(await connect("memory://x", { drivers: [driver] }).catch((error: unknown) => error), "auth-failed")).toBe(true);
  await using s = await scene({ plan: { seek: [{ fault: "fail-before", calls: [1] }] } });
  await s.producer.send("a");
  expect(isStreamError(await s.consumer.rewind("beginning").catch((error: unknown) => error), "backend")).toBe(true);
  await s.consumer.rewind("beginning");
  expect(await s.read(1)).toEqual(["a"]);
});

test("answers late what was done at once", async () => {
  await using s = await scene({ plan: { send: [{ fault: "late-answer", delayMs: 60_000, times: 1 }] } });
  let answered = false;
  s.producer.send("a").then(
    () => {
      answered = true;
    },
    () => {},
  );
  expect(await s.read(1)).toEqual(["a"]);
  await eventually("the answer is kept back", () => s.driver.held("send") === 1);
  expect(answered).toBe(false);
  s.driver.release("send");
  await s.producer.flush();
  expect(answered).toBe(true);
});

test("draws the same faults from the same seed", async () => {
  const outcomes = async (seed: number): Promise<string> => {
    await using s = await scene({ seed, plan: { send: [{ fault: "fail-before", chance: 0.5, retryable: false }] } });
    let line = "";
    for (let count = 0; count < 30; count += 1) {
      line += await s.producer.send("x").then(
        () => "+",
        () => "-",
      );
    }
    return line;
  };
  const first = await outcomes(3);
  expect(first).toMatch(/\+/);
  expect(first).toMatch(/-/);
  expect(await outcomes(3)).toBe(first);
  expect(await outcomes(4)).not.toBe(first);
});
