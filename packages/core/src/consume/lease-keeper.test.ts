import { describe, expect, it } from "vitest";
import { delivery, sequenceOf, wrapper } from "../../test/deliveries.ts";
import { passing } from "../../test/fake-driver.ts";
import { ManualClock, turns } from "../../test/manual-clock.ts";
import { ScriptedConsumer } from "../../test/scripted-consumer.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Delivery } from "./delivery.ts";
import { LeaseKeeper, type LeaseKeeperOptions } from "./lease-keeper.ts";
import { LiveList } from "./live-list.ts";

function rig(options: Partial<LeaseKeeperOptions> = {}) {
  const clock = new ManualClock();
  const driver = new ScriptedConsumer();
  const live = new LiveList();
  const lost: number[] = [];
  const tooLong: number[] = [];
  const events: StreamerEvent[] = [];
  const lose = (list: number[]) => (deliveries: readonly Delivery[]) => {
    for (const one of deliveries) {
      list.push(sequenceOf(one));
      one.state = "lost";
      live.remove(one);
    }
  };
  const keeper = new LeaseKeeper({
    driver,
    leaseMs: 1000,
    keepAliveMs: 10_000,
    limitsHeld: () => true,
    live,
    clock,
    wrapper,
    publish: (event) => events.push(event),
    lost: lose(lost),
    heldTooLong: lose(tooLong),
    ...options,
  });
  const admit = (sequence: number): Delivery => {
    const one = delivery(sequence, 0, clock.monotonic());
    live.append(one);
    keeper.start();
    return one;
  };
  return { clock, driver, live, lost, tooLong, events, keeper, admit, codes: () => events.map(({ code }) => code) };
}

describe("leases", () => {
  it("are extended together when half of them has passed, read or not", async () => {
    const { clock, driver, admit, lost } = rig();
    admit(1);
    admit(2).state = "unread";
    await clock.advance(499);
    expect(driver.rounds).toBe(0);
    await clock.advance(1);
    expect([driver.told(), driver.rounds]).toEqual([["extend 1", "extend 2"], 1]);
    await clock.advance(5000);
    expect(lost).toEqual([]);
  });

  it("that no extension reached for their whole length are lost by the local clock", async () => {
    const { clock, driver, admit, lost, codes } = rig();
    admit(1);
    driver.onSettle = () => {
      throw passing();
    };
    await clock.advance(999);
    expect(lost).toEqual([]);
    // Tried at a half and at three quarters.
    expect(codes()).toEqual(["extend-failed", "extend-failed"]);
    await clock.advance(1);
    expect(lost).toEqual([1]);
  });

  it("survive one extension that hangs, and heed its late answer", async () => {
    const { clock, driver, admit, lost } = rig();
    const first = admit(1);
    const late = Promise.withResolvers<"done">();
    driver.onSettle = () => (driver.rounds === 1 ? late.promise : "done");
    await clock.advance(900);
    expect(driver.rounds).toBe(2);
    const extendedAtMs = first.leasedAtMs;
    late.resolve("done");
    await turns();
    expect(first.leasedAtMs).toBe(extendedAtMs);
    await clock.advance(5000);
    expect(lost).toEqual([]);
  });

  it("are lost when the broker says so, unless the answer crossed an ack", async () => {
    const { clock, driver, admit, lost } = rig();
    admit(1);
    const second = admit(2);
    driver.onSettle = () => {
      second.state = "settling";
      return "lost";
    };
    await clock.advance(500);
    expect(lost).toEqual([1]);
  });

  it("that an event loop which stood still cost are told and lost", async () => {
    const { clock, admit, lost, events } = rig();
    admit(1);
    clock.stall(3000);
    await clock.advance(0);
    expect(events).toEqual([expect.objectContaining({ code: "event-loop-stalled", level: "warn", count: 2750 })]);
    expect(lost).toEqual([1]);
  });
});

describe("what is held", () => {
  it("is too long after keepAliveMs, but not what is unread", async () => {
    const { clock, admit, tooLong } = rig();
    admit(1);
    admit(2).state = "unread";
    await clock.advance(9_999);
    expect(tooLong).toEqual([]);
    await clock.advance(251);
    expect(tooLong).toEqual([1]);
  });

  it("is limited where there is no lease as well", async () => {
    const { clock, driver, admit, tooLong, lost } = rig({ leaseMs: undefined });
    admit(1);
    await clock.advance(12_500);
    expect([tooLong, lost, driver.rounds]).toEqual([[1], [], 0]);
  });

  it("is not limited while another looks after it", async () => {
    const { clock, admit, tooLong } = rig({ limitsHeld: () => false });
    admit(1);
    await clock.advance(100_000);
    expect(tooLong).toEqual([]);
  });
});

describe("its timer", () => {
  it("is there only while something is live", async () => {
    const { clock, admit, live } = rig();
    const one = admit(1);
    live.remove(one);
    await clock.advance(1000);
    expect(clock.pending).toBe(0);
    admit(2);
    expect(clock.pending).toBe(1);
  });

  it("is gone after stop, and nothing is told then", async () => {
    const { clock, admit, keeper, driver } = rig();
    const one = admit(1);
    keeper.stop();
    keeper.start();
    keeper.extendNow(one);
    expect(clock.pending).toBe(0);
    await clock.advance(10_000);
    expect(driver.rounds).toBe(0);
  });
});
