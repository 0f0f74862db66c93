import { describe, expect, it } from "vitest";
import { incoming } from "../../test/scripted-consumer.ts";
import { Message, RAW, type Settler } from "../message/message.ts";
import { OrderGates } from "./order-gates.ts";

const settler: Settler = { ack: () => true, nak: () => true, term: () => true, extend: () => true };

function message(text: string, key?: string, shardId = 0): Message<unknown> {
  return new Message(incoming(text, { shardId, ...(key === undefined ? {} : { key }) }), RAW, settler, undefined);
}

describe("gates", () => {
  it("let one message of a key through, the others in order, and those without a key as they come", () => {
    const gates = new OrderGates<unknown>("key");
    const [a1, a2, a3, b1, none] = [message("a1", "a"), message("a2", "a"), message("a3", "a"), message("b1", "b"), message("x")] as const;
    expect([a1, a2, b1, none, a3].map((one) => gates.enter(one))).toEqual([true, false, true, true, false]);
    expect(gates.waiting).toBe(2);
    expect(gates.leave(none)).toBe(undefined);
    expect(gates.leave(a1)).toBe(a2);
    expect(gates.leave(a2)).toBe(a3);
    expect(gates.leave(a3)).toBe(undefined);
    expect([gates.waiting, gates.enter(message("a4", "a"))]).toEqual([0, true]);
  });

  it("go by stream and shard, or by nothing", () => {
    const byShard = new OrderGates<unknown>("shard");
    expect([message("1"), message("2"), message("3", undefined, 1)].map((one) => byShard.enter(one))).toEqual([true, false, true]);
    const none = new OrderGates<unknown>("none");
    expect([message("1", "a"), message("2", "a")].map((one) => none.enter(one))).toEqual([true, true]);
  });

  it("stay closed for a message that comes again", () => {
    const gates = new OrderGates<unknown>("key");
    const [a1, a2] = [message("a1", "a"), message("a2", "a")];
    gates.enter(a1);
    gates.enter(a2);
    gates.vacate(a1);
    expect(gates.comeBack(message("a1", "a"))).toBe(true);
    expect(gates.leave(a1)).toBe(a2);
  });

  it("let a message that comes again while its gate is in use go before all that wait", () => {
    const gates = new OrderGates<unknown>("key");
    const [a1, a2, again] = [message("a1", "a"), message("a2", "a"), message("a1", "a")];
    gates.enter(a1);
    gates.enter(a2);
    expect(gates.comeBack(again)).toBe(false);
    expect(gates.leave(a1)).toBe(again);
    expect(gates.drain()).toEqual([a2]);
    expect(gates.waiting).toBe(0);
  });
});
