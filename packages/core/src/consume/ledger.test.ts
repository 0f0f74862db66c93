import { describe, expect, it } from "vitest";
import { lasting, passing } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { type ConsumerRig, consumerOn, incoming, ScriptedConsumer } from "../../test/scripted-consumer.ts";
import type { ConsumerOptions } from "./consumer-options.ts";

const SHARD = { streamKey: "s", shardId: 0 } as const;

/** A member of a group, on a driver whose deliveries' tokens are their sequences. */
async function member(
  options: ConsumerOptions<Uint8Array> = {},
  parts: { readonly acks?: "each" | "through"; readonly leaseMs?: number } = {},
): Promise<ConsumerRig<Uint8Array> & { give(...sequences: number[]): void }> {
  const driver = new ScriptedConsumer();
  driver.acks = parts.acks ?? "each";
  driver.leaseMs = parts.acks === "through" ? undefined : (parts.leaseMs ?? 60_000);
  const rig = await consumerOn({ mode: "load-balanced", group: "g", autoCommit: "rolling", ...options }, driver);
  return {
    ...rig,
    give: (...sequences) => driver.give(...sequences.map((sequence) => incoming(String(sequence), { sequence, token: sequence }))),
  };
}

describe("closing", () => {
  it("commits what is acked, gives back unread messages and held ones apart, and leaves no timer", async () => {
    const { consumer, driver, give, clock } = await member();
    give(1, 2, 3, 4);
    const [first, second, third] = [await consumer.next(), await consumer.next(), await consumer.next()];
    first.ack();
    third.nak({ delayMs: 5000 });
    await consumer.close();
    expect(driver.settled[0]).toEqual({ kind: "ack", token: 1 });
    expect(driver.settled.slice(1).toSorted((a, b) => Number(a.token) - Number(b.token))).toEqual([
      { kind: "release", token: 2, unread: false },
      { kind: "release", token: 3, unread: false },
      { kind: "release", token: 4, unread: true },
    ]);
    expect([clock.pending, second.ack()]).toEqual([0, false]);
  });

  it("acks nothing that is not due: on-next leaves the last, delayed what is younger, disabled all that was not committed", async () => {
    const onNext = await member({ autoCommit: "on-next" });
    onNext.give(1, 2);
    await onNext.consumer.next();
    await onNext.consumer.next();
    await onNext.consumer.close();
    expect([onNext.driver.told("ack"), onNext.driver.told("release")]).toEqual([["ack 1"], ["release 2"]]);

    const delayed = await member({ autoCommit: "delayed", autoCommitDelayMs: 5000 });
    delayed.give(1, 2);
    await delayed.consumer.next();
    await delayed.clock.advance(4999);
    await delayed.consumer.next();
    await delayed.clock.advance(1);
    await delayed.consumer.close();
    expect([delayed.driver.told("ack"), delayed.driver.told("release")]).toEqual([["ack 1"], ["release 2"]]);

    const disabled = await member({ autoCommit: "disabled" });
    disabled.give(1, 2);
    (await disabled.consumer.next()).ack();
    await disabled.consumer.commit();
    (await disabled.consumer.next()).ack();
    await disabled.consumer.close();
    expect([disabled.driver.told("ack"), disabled.driver.told("release")]).toEqual([["ack 1"], ["release 2"]]);
    expect(disabled.clock.pending).toBe(0);
  });

  it("tells the broker what is acked while it is being told", async () => {
    const { consumer, driver, give } = await member();
    give(1, 2);
    const [first, second] = [await consumer.next(), await consumer.next()];
    first.ack();
    const answer = Promise.withResolvers<"done">();
    driver.onSettle = ({ token }) => (token === 1 ? answer.promise : "done");
    const closing = consumer.close();
    await turns();
    expect(second.ack()).toBe(true);
    answer.resolve("done");
    await closing;
    expect(driver.told()).toEqual(["ack 1", "ack 2"]);
  });

  it("gives back at once when it is aborted, also what was acked and could not be told", async () => {
    const { consumer, driver, give } = await member();
    give(1, 2);
    (await consumer.next()).ack();
    driver.onSettle = ({ kind }) => {
      if (kind === "ack") throw passing();
      return "done";
    };
    const stop = new AbortController();
    const closing = consumer.close({ signal: stop.signal });
    const failed = expect(closing).rejects.toMatchObject({ code: "aborted" });
    await turns();
    stop.abort();
    await failed;
    await turns();
    expect([driver.told("release").toSorted(), driver.closed]).toEqual([["release 1", "release 2"], 1]);
  });
});

describe("settling", () => {
  it("twice is a TypeError, after a lost lease it is false, and the broker hears nothing", async () => {
    const { consumer, driver, give, clock } = await member({}, { leaseMs: 1000 });
    give(1, 2);
    const [first, second] = [await consumer.next(), await consumer.next()];
    expect(first.ack()).toBe(true);
    expect(() => first.ack()).toThrow(TypeError);
    expect(() => first.nak()).toThrow(TypeError);
    await consumer.commit();
    clock.stall(1000);
    expect([second.ack(), second.nak(), second.term(), second.inProgress()]).toEqual([false, false, false, false]);
    await consumer.commit();
    expect(driver.told()).toEqual(["ack 1"]);
    expect(() => second.nak({ delayMs: Number.NaN })).toThrow(TypeError);
    await consumer.close();
  });

  it("of a redelivery and its original are apart, and the count is written", async () => {
    const { consumer, driver, give, clock } = await member();
    give(1);
    const original = await consumer.next();
    original.nak({ delayMs: 100 });
    const next = consumer.next();
    await clock.advance(100);
    const again = await next;
    expect([again.text(), again.deliveryCount]).toEqual(["1", 2]);
    expect(driver.settled).toEqual([{ kind: "recount", token: 1, deliveryCount: 2 }]);
    expect(() => original.ack()).toThrow(TypeError);
    expect(again.ack()).toBe(true);
    await consumer.close();
  });

  it("fails loudly once when the background could not: the next read rejects although messages wait", async () => {
    const { consumer, driver, give, clock } = await member();
    give(1, 2, 3);
    (await consumer.next()).ack();
    driver.onSettle = ({ kind }) => {
      if (kind === "ack") throw lasting("refused");
      return "done";
    };
    await clock.advance(1000);
    await expect(consumer.next()).rejects.toMatchObject({ message: expect.stringContaining("refused") });
    expect((await consumer.next()).text()).toBe("2");
    await consumer.close();
  });

  it("is not needed for ever: what is held beyond keepAliveMs is lost, with an event", async () => {
    const { consumer, give, clock, events } = await member({ keepAliveMs: 10_000 });
    give(1);
    const first = await consumer.next();
    await clock.advance(15_000);
    expect(first.ack()).toBe(false);
    expect(events).toContainEqual(expect.objectContaining({ code: "message-lost", level: "warn" }));
    await consumer.close();
  });

  it("happens by itself after ackTimeoutMs, as a nak", async () => {
    const { consumer, give, clock } = await member({ ackTimeoutMs: 1000 });
    give(1);
    await consumer.next();
    const next = consumer.next();
    await clock.advance(1250);
    expect((await next).deliveryCount).toBe(2);
    await consumer.close();
  });
});

describe("where positions are committed", () => {
  it("only what has nothing open below it is told, and nothing else ever", async () => {
    const { consumer, driver, give, clock } = await member({}, { acks: "through" });
    give(1, 2, 3, 4);
    const messages = [await consumer.next(), await consumer.next(), await consumer.next()];
    messages[2]?.ack();
    messages[0]?.ack();
    await consumer.commit();
    expect(driver.told()).toEqual(["ack-through 1"]);
    messages[1]?.nak();
    await clock.advance(0);
    const again = await consumer.next();
    await consumer.commit();
    expect([again.text(), again.deliveryCount]).toEqual(["2", 2]);
    again.term("of no use");
    await consumer.close();
    expect(driver.told()).toEqual(["ack-through 1", "ack-through 3"]);
  });

  it("what is held for too long is given again by core, since nobody else would", async () => {
    const { consumer, driver, give, clock } = await member({ keepAliveMs: 10_000 }, { acks: "through" });
    give(1, 2);
    const first = await consumer.next();
    (await consumer.next()).ack();
    const next = consumer.next();
    await clock.advance(12_500);
    const again = await next;
    expect([first.ack(), again.text(), again.deliveryCount]).toEqual([false, "1", 2]);
    again.ack();
    await consumer.commit();
    expect(driver.told()).toEqual(["ack-through 2"]);
    await consumer.close();
  });

  it("a failed commit is made good by the next one", async () => {
    const { consumer, driver, give, clock } = await member({}, { acks: "through" });
    give(1, 2);
    (await consumer.next()).ack();
    driver.onSettle = () => {
      throw passing();
    };
    await clock.advance(1000);
    (await consumer.next()).ack();
    driver.onSettle = () => "done";
    await consumer.commit();
    expect(driver.told().at(-1)).toBe("ack-through 2");
    await consumer.close();
  });

  it("a run that ends leaves what it did not start to the next reader", async () => {
    const { consumer, driver, give } = await member({}, { acks: "through" });
    give(1, 2, 3);
    const stop = new AbortController();
    const seen: string[] = [];
    await consumer.run(
      (message) => {
        seen.push(message.text());
        stop.abort();
      },
      { signal: stop.signal },
    );
    expect(seen).toEqual(["1"]);
    expect((await consumer.fetch({ maxMessages: 2, expiresMs: 0 })).map((message) => message.text())).toEqual(["2", "3"]);
    await consumer.close();
    expect(driver.told()).toEqual(["ack-through 1"]);
  });
});

describe("a rebalance", () => {
  it("hands nothing over while shards may go, commits what is done, and goes on with what is kept", async () => {
    const { consumer, driver, give } = await member({}, { acks: "through" });
    give(1, 2);
    (await consumer.next()).ack();
    await driver.request?.onRevoking([SHARD], { signal: AbortSignal.timeout(1000) });
    expect(driver.told()).toEqual(["ack-through 1"]);
    let second: string | undefined;
    const next = consumer.next().then((message) => (second = message.text()));
    await turns();
    expect(second).toBe(undefined);
    driver.request?.onKept([SHARD]);
    await next;
    expect(second).toBe("2");
    await consumer.close();
  });

  it("loses what went: nothing of it is told, and what comes when it is ours anew stands for itself", async () => {
    const { consumer, driver, give, events } = await member({}, { acks: "through" });
    give(1, 2, 3);
    const first = await consumer.next();
    await driver.request?.onRevoking([SHARD], { signal: AbortSignal.timeout(1000) });
    driver.request?.onLost({ shards: [SHARD] });
    expect(first.ack()).toBe(false);
    driver.request?.onAssigned([{ ...SHARD, origin: "committed" }]);
    give(1, 2);
    const again = await consumer.next();
    expect(again.text()).toBe("1");
    again.ack();
    await consumer.close();
    expect(driver.told()).toEqual(["ack-through 1"]);
    expect(events.map(({ code }) => code)).toEqual(expect.arrayContaining(["shard-revoked", "shard-assigned", "message-lost"]));
  });

  it("goes on when the commit before it fails, with an event, and when it is about no shard at all", async () => {
    const { consumer, driver, give, events } = await member({}, { acks: "through" });
    await driver.request?.onRevoking([], { signal: AbortSignal.timeout(1000) });
    give(1, 2);
    (await consumer.next()).ack();
    driver.onSettle = () => {
      throw lasting("not a member");
    };
    await driver.request?.onRevoking([SHARD], { signal: AbortSignal.timeout(1000) });
    driver.request?.onKept([SHARD]);
    expect(events).toContainEqual(expect.objectContaining({ code: "commit-failed" }));
    expect((await consumer.next()).text()).toBe("2");
    driver.onSettle = () => "done";
    await consumer.close();
  });
});
