import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/manual-clock.ts";
import { incoming } from "../../test/scripted-consumer.ts";
import { Message, RAW } from "../message/message.ts";
import { RealTimeBook } from "./real-time-book.ts";

function rig() {
  const clock = new ManualClock();
  const again: Message<unknown>[] = [];
  let settled = 0;
  const book = new RealTimeBook(
    clock,
    (messages) => again.push(...messages),
    () => (settled += 1),
  );
  return { clock, book, again, settled: () => settled, message: new Message<unknown>(incoming("1"), RAW, book, undefined) };
}

describe("without a broker that keeps book", () => {
  it("acks and terms do nothing, as often as they come", () => {
    const { message, book } = rig();
    expect([message.ack(), message.ack(), message.term(), message.inProgress()]).toEqual([true, true, true, true]);
    expect([book.open, book.isHeld(message), book.isLost()]).toEqual([0, true, false]);
  });

  it("a nak gives the message again from here, with its count, and tells that less is owed", async () => {
    const { message, book, clock, again, settled } = rig();
    message.nak({ delayMs: 500 });
    expect([book.open, book.isHeld(message), book.isWaiting(message)]).toEqual([1, false, true]);
    await clock.advance(499);
    expect(again).toEqual([]);
    await clock.advance(1);
    expect([again[0]?.text(), again[0]?.deliveryCount, book.open, settled()]).toEqual(["1", 2, 0, 1]);
    expect(book.isWaiting(message)).toBe(false);
    expect(() => message.nak()).toThrow(TypeError);
    expect(() => again[0]?.nak({ delayMs: -1 })).toThrow(TypeError);
  });

  it("forgets what waits, after a seek and at close", async () => {
    const { message, book, clock, again } = rig();
    message.nak({ delayMs: 500 });
    book.clear();
    await clock.advance(1000);
    expect([again, book.open, book.isWaiting(message), clock.pending]).toEqual([[], 0, false, 0]);
  });
});
