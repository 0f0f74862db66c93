import { describe, expect, it } from "vitest";
import { lasting, passing } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { OutboxRig } from "../../test/outbox-rig.ts";
import { ScriptedProducer } from "../../test/scripted-producer.ts";

const failed = { stored: false, error: passing() } as const;
const refused = { stored: false, error: lasting() } as const;
const unknown = { stored: "unknown", error: passing("connection lost") } as const;
/** Longer than the first back-off, whatever its jitter. */
const BACKOFF_MS = 50;

describe("batches", () => {
  it("take what is sent in one turn together, on the next tick", async () => {
    const rig = new OutboxRig();
    rig.send("1");
    rig.send("2");
    expect(rig.driver.batches).toHaveLength(0);
    await new Promise((resolve) => process.nextTick(resolve));
    expect(rig.driver.texts).toEqual([["1", "2"]]);
  });

  it("are filled up to the count and bytes that the driver and maxBatchBytes allow", async () => {
    const byCount = new OutboxRig();
    await byCount.sendAll("1", "2", "3", "4", "5");
    expect(byCount.driver.texts).toEqual([["1", "2"], ["3", "4"], ["5"]]);

    const byBytes = new OutboxRig({ maxBatchBytes: 2 }, new ScriptedProducer({ batchMessages: 100 }));
    await byBytes.sendAll("1", "2", "x".repeat(1000), "4");
    expect(byBytes.driver.texts).toEqual([["1", "2"], ["x".repeat(1000)], ["4"]]);
  });

  it("wait while as many are in flight as the driver takes, and coalesce meanwhile", async () => {
    const rig = new OutboxRig({}, new ScriptedProducer({ batchMessages: 100, batchesInFlight: 1 }));
    await rig.sendAll("1");
    await rig.sendAll("2");
    await rig.sendAll("3", "4");
    expect(rig.driver.texts).toEqual([["1"]]);
    rig.driver.at(0).store();
    await turns();
    expect(rig.driver.texts).toEqual([["1"], ["2", "3", "4"]]);
  });

  it("need no timer when nothing is in flight, and one while anything is", async () => {
    const rig = new OutboxRig();
    await rig.sendAll("1", "2", "3", "4", "5");
    expect(rig.clock.pending).toBe(1);
    for (const batch of rig.driver.batches) batch.store();
    await turns();
    expect(rig.clock.pending).toBe(0);
    expect(rig.sends.map((sent) => sent.receipt?.sequence)).toEqual([1n, 2n, 3n, 4n, 5n]);
  });
});

describe("a batch that fails for a passing reason, with others behind it", () => {
  it("is sent again in order once all in flight has settled, if nothing after it was stored", async () => {
    const rig = new OutboxRig();
    const sends = await rig.sendAll("1", "2", "3", "4", "5", "6");
    rig.driver.at(0).settleAll(failed);
    await turns();
    rig.driver.at(1).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.batches).toHaveLength(3);
    rig.driver.at(2).settleAll(failed);
    await turns();
    expect(rig.driver.batches).toHaveLength(3);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.texts.slice(3)).toEqual([
      ["1", "2"],
      ["3", "4"],
      ["5", "6"],
    ]);
    for (const batch of rig.driver.batches.slice(3)) batch.store();
    await turns();
    expect(rig.stored).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(sends.every((sent) => sent.settled === 1 && sent.receipt !== undefined)).toBe(true);
  });

  it("keeps back what is sent meanwhile, in its order, behind what is sent again", async () => {
    const rig = new OutboxRig();
    await rig.sendAll("1", "2", "3");
    rig.driver.at(0).settleAll(failed);
    await rig.sendAll("4", "5");
    expect(rig.driver.texts).toEqual([["1", "2"], ["3"]]);
    rig.driver.at(1).settleAll(failed);
    await rig.sendAll("6");
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.texts.slice(2)).toEqual([
      ["1", "2"],
      ["3", "4"],
      ["5", "6"],
    ]);
  });

  it("keeps back what was waiting for a place in flight before what is sent later", async () => {
    const rig = new OutboxRig({}, new ScriptedProducer({ batchMessages: 1, batchesInFlight: 2 }));
    rig.send("a1");
    rig.send("b1", { shard: 1 });
    rig.send("b2", { shard: 1 });
    rig.send("a2");
    await turns();
    expect(rig.driver.texts).toEqual([["a1"], ["b1"]]);
    // b2 takes the free place, so a2 still waits in the queue when a3 comes.
    rig.driver.at(0).settleAll(failed);
    await turns();
    rig.send("a3");
    rig.driver.at(1).store();
    await turns();
    rig.driver.at(2).store();
    await rig.clock.advance(BACKOFF_MS);
    for (let i = 3; i < 6; i++) {
      rig.driver.at(i).store();
      await turns();
    }
    expect(rig.stored).toEqual(["a1", "a2", "a3"]);
  });

  it("rejects, retryable, if something after it was stored, and says what to do", async () => {
    const rig = new OutboxRig();
    const [one, two, three] = await rig.sendAll("1", "2", "3");
    rig.driver.at(1).store();
    await turns();
    rig.driver.at(0).settleAll(failed);
    await turns();
    for (const sent of [one, two]) {
      expect(sent?.error).toMatchObject({ code: "backend", retryable: true, backend: "fake", streamKey: "s" });
      expect(sent?.error?.message).toContain("messages sent after it were stored");
    }
    expect(three?.receipt?.sequence).toBe(1n);
    expect(rig.clock.pending).toBe(0);
    await rig.sendAll("4");
    expect(rig.driver.texts.slice(2)).toEqual([["4"]]);
  });

  it("rejects what stands before a stored message and sends again what stands behind it", async () => {
    const rig = new OutboxRig();
    const [one] = await rig.sendAll("1", "2", "3");
    rig.driver.at(0).settle(failed, "stored");
    rig.driver.at(1).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(one?.error?.retryable).toBe(true);
    expect(rig.driver.texts.slice(2)).toEqual([["3"]]);
  });

  it("counts an unknown outcome as stored", async () => {
    const rig = new OutboxRig();
    const [one, two, three] = await rig.sendAll("1", "2", "3");
    rig.driver.at(0).settleAll(failed);
    rig.driver.at(1).settleAll(unknown);
    await rig.clock.advance(BACKOFF_MS);
    expect([one, two, three].map((sent) => sent?.error?.retryable)).toEqual([true, true, true]);
    expect(three?.error?.message).toContain("connection lost");
    expect(rig.driver.batches).toHaveLength(2);
  });

  it("counts a rejected batch as unknown, and so does one whose driver told no outcome", async () => {
    const rig = new OutboxRig();
    const [one, , three] = await rig.sendAll("1", "2", "3");
    rig.driver.at(0).reject(passing("connection lost"));
    rig.driver.at(1).settle();
    await turns();
    expect(one?.error?.message).toContain("connection lost");
    expect(three?.receipt).toBeDefined();

    const silent = new OutboxRig({}, new ScriptedProducer({ batchMessages: 1 }));
    silent.driver.send = async () => [];
    const [unanswered] = await silent.sendAll("1");
    expect(unanswered?.error).toMatchObject({ code: "backend" });
  });

  it("sends an unknown outcome again where a message id makes that safe", async () => {
    const rig = new OutboxRig({ dedupe: true });
    const withId = rig.send("1", { messageId: "id" });
    const without = rig.send("2");
    await turns();
    rig.driver.at(0).settleAll(unknown);
    await rig.clock.advance(BACKOFF_MS);
    // What has no id may be stored, so what was sent before it is not sent after it.
    expect(without.error?.retryable).toBe(true);
    expect(withId.error?.retryable).toBe(true);

    const alone = rig.send("3", { messageId: "id3" });
    await turns();
    rig.driver.at(1).reject(passing());
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.texts.slice(2)).toEqual([["3"]]);
    rig.driver.at(2).store();
    await turns();
    expect(alone.receipt).toBeDefined();
  });

  it("does not take a message id for safe without dedupe", async () => {
    const rig = new OutboxRig({ dedupe: false });
    const sent = rig.send("1", { messageId: "id" });
    await turns();
    rig.driver.at(0).settleAll(unknown);
    await rig.clock.advance(BACKOFF_MS);
    expect(sent.error?.retryable).toBe(true);
    expect(rig.driver.batches).toHaveLength(1);
  });

  it("sends unknown outcomes again where the driver says that this is safe", async () => {
    const rig = new OutboxRig({}, new ScriptedProducer({}, true));
    await rig.sendAll("1", "2", "3");
    rig.driver.at(1).settleAll(unknown);
    rig.driver.at(0).settleAll(unknown);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.texts.slice(2)).toEqual([["1", "2"], ["3"]]);
  });

  it("counts an unknown outcome that is not sent again as stored, message id or not", async () => {
    const rig = new OutboxRig({ dedupe: true });
    const before = rig.send("1");
    rig.send("2");
    const lost = rig.send("3", { messageId: "id" });
    await turns();
    rig.driver.at(0).settleAll(failed);
    rig.driver.at(1).settleAll({ stored: "unknown", error: lasting() });
    await rig.clock.advance(BACKOFF_MS);
    expect(lost.error?.retryable).toBe(false);
    expect(before.error?.message).toContain("messages sent after it were stored");
    expect(rig.driver.batches).toHaveLength(2);
  });

  it("lets other lanes go on", async () => {
    const rig = new OutboxRig({}, new ScriptedProducer({ batchMessages: 1 }));
    rig.send("a1");
    rig.send("a2");
    await turns();
    rig.driver.at(0).settleAll(failed);
    await turns();
    const other = rig.send("b1", { shard: 1 });
    await turns();
    rig.driver.at(2).store();
    await turns();
    expect(rig.driver.texts).toEqual([["a1"], ["a2"], ["b1"]]);
    expect(other.receipt).toMatchObject({ streamKey: "s", shardId: 1 });
  });
});

describe("a failure that stays", () => {
  it("rejects its own message only, as the backend said it", async () => {
    const rig = new OutboxRig();
    const [one, two, three] = await rig.sendAll("1", "2", "3");
    rig.driver.at(0).settle(refused, "stored");
    rig.driver.at(1).store();
    await turns();
    expect(one?.error).toMatchObject({ code: "backend", retryable: false });
    expect(one?.error?.message).toContain("refused");
    expect(two?.receipt).toBeDefined();
    expect(three?.receipt).toBeDefined();
    expect(rig.outbox.bytes).toBe(0);
  });

  it("is what a driver gets that throws instead of rejecting", async () => {
    const rig = new OutboxRig();
    rig.driver.send = () => {
      throw lasting("thrown");
    };
    const [one] = await rig.sendAll("1");
    expect(one?.error?.message).toContain("thrown");
    expect(rig.clock.pending).toBe(0);
  });
});

describe('ordering: "strict"', () => {
  it("keeps one batch in flight", async () => {
    const rig = new OutboxRig({ ordering: "strict" });
    await rig.sendAll("1", "2", "3");
    expect(rig.driver.texts).toEqual([["1", "2"]]);
    rig.driver.at(0).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.texts).toEqual([
      ["1", "2"],
      ["1", "2"],
    ]);
    rig.driver.at(1).store();
    await turns();
    expect(rig.driver.texts.at(-1)).toEqual(["3"]);
  });
});

describe('ordering: "relaxed"', () => {
  it("sends again whatever was stored after it", async () => {
    const rig = new OutboxRig({ ordering: "relaxed" });
    const [one] = await rig.sendAll("1", "2", "3");
    rig.driver.at(1).store();
    rig.driver.at(0).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    rig.driver.at(2).store();
    await turns();
    expect(rig.stored).toEqual(["3", "1", "2"]);
    expect(one?.receipt).toBeDefined();
  });

  it("does not send again what may be stored", async () => {
    const rig = new OutboxRig({ ordering: "relaxed" });
    const [one] = await rig.sendAll("1");
    rig.driver.at(0).settleAll(unknown);
    await rig.clock.advance(BACKOFF_MS);
    expect(one?.error?.retryable).toBe(true);
    expect(rig.driver.batches).toHaveLength(1);
  });
});

describe("sendTimeoutMs", () => {
  it("bounds the retries; then the message fails with timeout, retryable, and the last error as its cause", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 });
    rig.driver.send = async (batch) => batch.map(() => failed);
    const [one] = await rig.sendAll("1");
    await rig.clock.advance(1000);
    expect(one?.settled).toBe(0);
    await rig.clock.advance(10);
    expect(one?.error).toMatchObject({ code: "timeout", retryable: true, backend: "fake", streamKey: "s" });
    expect(one?.error?.message).toContain("sendTimeoutMs (1000 ms)");
    expect(one?.error?.cause).toMatchObject({ code: "backend", message: expect.stringContaining("busy") });
    expect(rig.outbox.bytes).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it("fails what waited behind a lane's retries at its own time", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 });
    rig.driver.send = async (batch) => batch.map(() => failed);
    const [one] = await rig.sendAll("1");
    await rig.clock.advance(500);
    const [two] = await rig.sendAll("2");
    await rig.clock.advance(600);
    expect([one?.settled, two?.settled]).toEqual([1, 0]);
    await rig.clock.advance(500);
    expect(two?.error?.code).toBe("timeout");
  });

  it("aborts a batch that hangs", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 });
    const [one] = await rig.sendAll("1");
    await rig.clock.advance(1000);
    const batch = rig.driver.at(0);
    expect(batch.signal.aborted).toBe(true);
    batch.reject(batch.signal.reason);
    await turns();
    expect(one?.error).toMatchObject({ code: "timeout", retryable: true });
    expect(rig.clock.pending).toBe(0);
  });

  it("aborts a batch sent again when its oldest message has used up its time, and keeps the error of the try before as the cause", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 });
    const [one] = await rig.sendAll("1");
    await rig.clock.advance(900);
    rig.driver.at(0).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.batches).toHaveLength(2);
    await rig.clock.advance(50);
    expect(rig.driver.at(1).signal.aborted).toBe(true);
    rig.driver.at(1).reject(new DOMException("aborted", "AbortError"));
    await turns();
    expect(one?.error?.code).toBe("timeout");
    expect(one?.error?.cause).toMatchObject({ message: expect.stringContaining("busy") });
  });

  it("goes by the oldest message of a batch, wherever it stands", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 }, new ScriptedProducer({ batchMessages: 10, batchesInFlight: 2 }));
    const hung = rig.send("b1", { shard: 1 });
    await turns();
    await rig.clock.advance(600);
    rig.send("a1");
    await turns();
    rig.driver.at(0).settleAll(failed);
    rig.driver.at(1).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.batches.length).toBeGreaterThan(2);
    await rig.clock.advance(400 - BACKOFF_MS);
    const holding = rig.driver.batches.slice(2).find((batch) => batch.texts.includes("b1"));
    expect(holding?.signal.aborted).toBe(true);
    expect(hung.settled).toBe(0);
    holding?.settleAll({ stored: false, error: passing("given up") });
    await rig.clock.advance(BACKOFF_MS);
    expect(hung.error?.code).toBe("timeout");
  });

  it("sends younger messages of an aborted batch again, if they are surely not stored", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 }, new ScriptedProducer({ batchMessages: 10, batchesInFlight: 1 }));
    const [old] = await rig.sendAll("1");
    await rig.clock.advance(600);
    const [young] = await rig.sendAll("2");
    rig.driver.at(0).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(rig.driver.texts[1]).toEqual(["1", "2"]);
    await rig.clock.advance(400);
    rig.driver.at(1).settleAll(failed);
    await rig.clock.advance(2 * BACKOFF_MS);
    expect(old?.error?.code).toBe("timeout");
    expect(rig.driver.texts.at(-1)).toEqual(["2"]);
    rig.driver.at(-1).store();
    await turns();
    expect(young?.receipt).toBeDefined();
  });

  it("gives up a batch whose driver does not heed its abort, and ignores what it says later", async () => {
    const rig = new OutboxRig({ sendTimeoutMs: 1000 });
    const [one] = await rig.sendAll("1");
    await rig.clock.advance(1000);
    expect(one?.settled).toBe(0);
    await rig.clock.advance(10_000);
    expect(one?.error?.code).toBe("timeout");
    expect(rig.outbox.bytes).toBe(0);
    rig.driver.at(0).store();
    await turns();
    expect(one?.settled).toBe(1);
    expect(rig.outbox.bytes).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });
});

describe("the byte marks", () => {
  it("count what is not settled, with a fixed sum for each message", async () => {
    const rig = new OutboxRig({ highWaterBytes: 1200 });
    await rig.sendAll("1", "2");
    expect(rig.outbox.bytes).toBe(2 * 513);
    expect(rig.outbox.needsDrain).toBe(false);
    await rig.sendAll("3");
    expect(rig.outbox.needsDrain).toBe(true);
    rig.driver.at(0).store();
    await turns();
    expect(rig.outbox.bytes).toBe(513);
  });

  it("let ready resolve at half of highWaterBytes, for all who wait", async () => {
    const rig = new OutboxRig({ highWaterBytes: 1200 }, new ScriptedProducer({ batchMessages: 1 }));
    await rig.sendAll("1", "2", "3");
    let ready = 0;
    const both = [rig.outbox.ready().then(() => (ready += 1)), rig.outbox.ready().then(() => (ready += 1))];
    rig.driver.at(0).store();
    await turns();
    expect([rig.outbox.needsDrain, ready]).toEqual([false, 0]);
    rig.driver.at(1).settleAll(refused);
    await Promise.all(both);
    expect(ready).toBe(2);
    await rig.outbox.ready();
  });

  it("fail a send above maxBufferedBytes with buffer-full, retryable, and take it again once there is room", async () => {
    const rig = new OutboxRig({ maxBufferedBytes: 800 });
    const [, two] = await rig.sendAll("1", "2");
    expect(two?.error).toMatchObject({ code: "buffer-full", retryable: true, streamKey: "s" });
    expect(two?.error?.message).toContain("await producer.ready()");
    rig.driver.at(0).store();
    await turns();
    const [three] = await rig.sendAll("3");
    expect(three?.error).toBeUndefined();
  });

  it("always let one message through, however large", async () => {
    const rig = new OutboxRig({ maxBufferedBytes: 800 });
    const [one] = await rig.sendAll("x".repeat(1000));
    expect(one?.error).toBeUndefined();
    expect(rig.driver.batches).toHaveLength(1);
  });
});

describe("settled", () => {
  it("waits for what was sent before it, and for nothing that came later", async () => {
    const rig = new OutboxRig({}, new ScriptedProducer({ batchMessages: 1 }));
    await rig.sendAll("1");
    let done = false;
    const settled = rig.outbox.settled().then(() => {
      done = true;
    });
    await rig.sendAll("2");
    rig.driver.at(1).store();
    await turns();
    expect(done).toBe(false);
    rig.driver.at(0).settleAll(refused);
    await settled;
    expect(done).toBe(true);
  });

  it("waits for what an earlier call still waits for", async () => {
    const rig = new OutboxRig({}, new ScriptedProducer({ batchMessages: 1 }));
    await rig.sendAll("1");
    const first = rig.outbox.settled();
    let second = false;
    const later = rig.outbox.settled().then(() => {
      second = true;
    });
    await turns();
    expect(second).toBe(false);
    rig.driver.at(0).store();
    await Promise.all([first, later]);
  });

  it("waits for retries", async () => {
    const rig = new OutboxRig();
    await rig.sendAll("1");
    let done = false;
    const settled = rig.outbox.settled().then(() => {
      done = true;
    });
    rig.driver.at(0).settleAll(failed);
    await rig.clock.advance(BACKOFF_MS);
    expect(done).toBe(false);
    rig.driver.at(1).store();
    await settled;
  });
});
