import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Fifo } from "./fifo.ts";

type Step = readonly ["push" | "shift" | "drain" | "remove", number] | readonly ["unshiftAll", readonly number[]];

it("behaves as an array does, whatever is done to it", () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(fc.constantFrom("push" as const, "push" as const, "shift" as const, "remove" as const), fc.nat(20)),
    fc.tuple(fc.constant("drain" as const), fc.nat(0)),
    fc.tuple(fc.constant("unshiftAll" as const), fc.array(fc.nat(20), { maxLength: 3 })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      for (const [what, value] of steps) {
        if (what === "push") {
          fifo.push(value);
          model.push(value);
        } else if (what === "shift") expect(fifo.shift()).toBe(model.shift());
        else if (what === "drain") {
          expect(fifo.drain()).toEqual(model);
          model = [];
        } else if (what === "unshiftAll") {
          fifo.unshiftAll(value);
          model.unshift(...value);
        } else {
          const at = model.indexOf(value);
          expect(fifo.remove(value)).toBe(at >= 0);
          if (at >= 0) model.splice(at, 1);
        }
        const visited: number[] = [];
        fifo.forEach((item) => void visited.push(item));
        expect([fifo.length, fifo.peek(), visited]).toEqual([model.length, model[0], model]);
      }
    }),
  );
});

it("keeps its order over many more items than it moves at once", () => {
  const fifo = new Fifo<number>();
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    fifo.push(i);
    if (i % 3 > 0) expect(fifo.shift()).toBe(taken++);
  }
  while (fifo.length > 0) expect(fifo.shift()).toBe(taken++);
  expect([taken, fifo.shift()]).toEqual([20_000, undefined]);
});
