import * as fc from "fast-check";
import { expect, it } from "vitest";
import { delivery } from "../../test/deliveries.ts";
import type { Delivery } from "./delivery.ts";
import { LiveList } from "./live-list.ts";

it("keeps its order whatever is appended and removed, also twice", () => {
  const steps = fc.array(fc.record({ isAppended: fc.boolean(), pick: fc.nat() }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (given) => {
      const list = new LiveList();
      const all: Delivery[] = [];
      let kept: Delivery[] = [];
      for (const { isAppended, pick } of given) {
        if (isAppended) {
          const added = delivery(all.length);
          all.push(added);
          kept.push(added);
          list.append(added);
        } else if (all.length > 0) {
          const removed = all[pick % all.length] as Delivery;
          list.remove(removed);
          kept = kept.filter((one) => one !== removed);
        }
        expect([...list]).toEqual(kept);
        expect(list.size).toBe(kept.length);
      }
    }),
    { numRuns: 50 },
  );
});

it("goes on when the visited one is removed", () => {
  const list = new LiveList();
  const all = [1, 2, 3].map((sequence) => delivery(sequence));
  for (const one of all) list.append(one);
  const seen: Delivery[] = [];
  for (const one of list) {
    seen.push(one);
    list.remove(one);
  }
  expect([seen, list.size]).toEqual([all, 0]);
});
