import { describe, expect, it } from "vitest";
import { delivery, wrapper } from "../../test/deliveries.ts";
import { lasting, passing } from "../../test/fake-driver.ts";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { ScriptedConsumer } from "../../test/scripted-consumer.ts";
import { CommitQueue, type CommitQueueOptions } from "./commit-queue.ts";
import type { Delivery } from "./delivery.ts";

function rig(options: Partial<CommitQueueOptions> = {}) {
  const clock = new ManualClock();
  const driver = new ScriptedConsumer();
  const settled: Delivery[] = [];
  const lost: Delivery[] = [];
  let failures = 0;
  const queue = new CommitQueue({
    driver,
    tracker: undefined,
    clock,
    random: () => 0,
    wrapper,
    intervalMs: 1000,
    timeoutMs: 10_000,
    stillOurs: ({ state }) => state !== "lost",
    settled: (one) => settled.push(one),
    onFailure: () => (failures += 1),
    lost: (deliveries) => lost.push(...deliveries),
    ...options,
  });
  const ack = (...sequences: number[]): Delivery[] =>
    sequences.map((sequence) => {
      const one = delivery(sequence);
      one.state = "settling";
      queue.ack(one);
      return one;
    });
  return { clock, driver, queue, settled, lost, ack, failures: () => failures };
}

describe("acks", () => {
  it("are told together, an interval after the first", async () => {
    const { clock, driver, ack, settled } = rig();
    ack(1);
    await clock.advance(999);
    ack(2);
    expect(driver.settled).toEqual([]);
    await clock.advance(1);
    expect([driver.told(), driver.rounds, settled.length]).toEqual([["ack 1", "ack 2"], 1, 2]);
    expect(clock.pending).toBe(0);
  });

  it("are told at once when there are a thousand", async () => {
    const { driver, ack } = rig();
    ack(...Array.from({ length: 1000 }, (_, i) => i));
    await turns();
    expect([driver.rounds, driver.settled.length]).toEqual([1, 1000]);
  });

  it("wait for a commit where nothing is told in the background, and can be dropped", async () => {
    const { clock, driver, ack, queue } = rig({ intervalMs: 0 });
    const acked = ack(1, 2);
    await clock.advance(100_000);
    expect(driver.rounds).toBe(0);
    expect(queue.drop()).toEqual(acked);
    await queue.commit();
    expect(driver.told()).toEqual([]);
  });

  it("are not told of what is lost", async () => {
    const { driver, ack, queue } = rig();
    const [first] = ack(1, 2);
    if (first !== undefined) first.state = "lost";
    await queue.commit();
    expect(driver.told()).toEqual(["ack 2"]);
  });

  it("that the broker no longer takes are lost", async () => {
    const { driver, ack, queue, lost, settled } = rig();
    driver.onSettle = ({ token }) => (token === 1 ? "lost" : "done");
    const [first, second] = ack(1, 2);
    await queue.commit();
    expect([lost, settled]).toEqual([[first], [second]]);
  });
});

describe("commit", () => {
  it("is shared by those who ask before it begins, and fails for all of them alike", async () => {
    const { driver, ack, queue, lost } = rig();
    const acked = ack(1);
    driver.onSettle = () => {
      throw lasting("gone");
    };
    const outcomes = await Promise.allSettled([queue.commit(), queue.commit(), queue.commit()]);
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : undefined));
    expect(reasons[0]).toMatchObject({ code: "backend", message: expect.stringContaining("gone") });
    expect(new Set(reasons).size).toBe(1);
    expect([driver.rounds, lost]).toEqual([1, acked]);
  });

  it("tries again while the failure passes, and tells what was acked meanwhile as well", async () => {
    const { clock, driver, ack, queue, settled } = rig();
    ack(1);
    let tries = 0;
    driver.onSettle = () => {
      tries += 1;
      if (tries < 3) throw passing();
      return "done";
    };
    const committed = queue.commit();
    await turns();
    ack(2);
    await clock.advance(5000);
    await committed;
    expect(settled.length).toBe(2);
  });

  it("gives up when its time is over, and what it could not tell comes again", async () => {
    const { clock, driver, ack, queue, lost } = rig();
    const acked = ack(1);
    driver.onSettle = () => {
      throw passing();
    };
    const failed = expect(queue.commit()).rejects.toMatchObject({ retryable: true });
    await clock.advance(10_001);
    await failed;
    expect(lost).toEqual(acked);
  });

  it("that its caller gives up loses nothing: the acks are told all the same", async () => {
    const { driver, ack, queue, lost, settled } = rig();
    ack(1);
    const answer = Promise.withResolvers<"done">();
    driver.onSettle = () => answer.promise;
    const stop = new AbortController();
    const given = queue.commit(stop.signal);
    await turns();
    stop.abort();
    await expect(given).rejects.toMatchObject({ code: "aborted" });
    answer.resolve("done");
    await turns();
    expect([lost, settled.length]).toEqual([[], 1]);
    await expect(queue.commit(AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
  });

  it("waits for the round under way, so that settlements keep their order", async () => {
    const { clock, driver, ack, queue } = rig();
    ack(1);
    const answer = Promise.withResolvers<"done">();
    driver.onSettle = () => answer.promise;
    await clock.advance(1000);
    ack(2);
    let isDone = false;
    const committed = queue.commit().then(() => (isDone = true));
    await turns();
    expect([driver.told(), isDone]).toEqual([["ack 1"], false]);
    answer.resolve("done");
    await committed;
    expect(driver.told()).toEqual(["ack 1", "ack 2"]);
  });
});

describe("naks and terms", () => {
  it("a nak does not wait for the interval, because its delay begins when it arrives", async () => {
    const { driver, queue } = rig();
    queue.nak(delivery(1), 500);
    await turns();
    expect(driver.settled).toEqual([{ kind: "nak", token: 1, delayMs: 500 }]);
  });

  it("are not told twice: an unknown outcome may still happen, so they are lost", async () => {
    const { driver, queue, lost, ack, clock } = rig();
    driver.onSettle = ({ kind }) => (kind === "ack" && driver.rounds > 1 ? "done" : { error: passing() });
    const nakked = delivery(1);
    nakked.state = "settling";
    queue.nak(nakked, 0);
    ack(2);
    await clock.advance(5000);
    expect(lost).toEqual([nakked]);
    expect(driver.told()).toEqual(["nak 1", "ack 2", "ack 2"]);
  });
});

describe("in the background", () => {
  it("a passing failure is tried again, later and later", async () => {
    const { clock, driver, ack, settled, failures } = rig();
    ack(1);
    let tries = 0;
    driver.onSettle = () => {
      tries += 1;
      if (tries < 4) throw passing();
      return "done";
    };
    await clock.advance(1000 + 50 + 100 + 200);
    expect([tries, settled.length, failures()]).toEqual([4, 1, 0]);
  });

  it("a lasting failure is told once", async () => {
    const { clock, driver, ack, queue, lost, failures } = rig();
    const acked = ack(1);
    driver.onSettle = () => {
      throw lasting("refused");
    };
    await clock.advance(1000);
    expect([lost, failures()]).toEqual([acked, 1]);
    expect(queue.takeFailure()).toMatchObject({ message: expect.stringContaining("refused") });
    expect(queue.takeFailure()).toBe(undefined);
  });

  it("nothing is told and no timer is left after stop", async () => {
    const { clock, driver, ack, queue } = rig();
    ack(1);
    queue.stop();
    queue.nak(delivery(2), 0);
    ack(3);
    expect(clock.pending).toBe(0);
    await clock.advance(100_000);
    expect(driver.rounds).toBe(0);
  });
});
