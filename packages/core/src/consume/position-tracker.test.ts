import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { delivery, sequenceOf } from "../../test/deliveries.ts";
import type { Delivery } from "./delivery.ts";
import { PositionTracker } from "./position-tracker.ts";

/** Every sequence of one shard, and how far it is committed. */
class Model {
  readonly done: boolean[] = [];
  committed = 0;

  /** The highest position with nothing open below it. */
  get position(): number {
    let at = this.committed;
    while (this.done[at] === true) at += 1;
    return at;
  }
}

const SHARDS = 3;
const step = fc.record({
  what: fc.constantFrom("add", "add", "ack", "ack", "nak", "commit", "commit-fails", "lose"),
  shard: fc.nat(SHARDS - 1),
  pick: fc.nat(),
});

describe("the position that may be committed", () => {
  it("is the highest with nothing open below it, whatever is acked, nak'ed, given again, lost or committed in vain", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const tracker = new PositionTracker();
        const models = Array.from({ length: SHARDS }, () => new Model());
        let live: Delivery[] = [];
        for (const { what, shard, pick } of steps) {
          const model = models[shard] as Model;
          const ours = live.filter(({ incoming }) => incoming.shardId === shard);
          const one = ours[pick % Math.max(ours.length, 1)];
          if (what === "add") {
            const added = delivery(model.done.length, shard);
            model.done.push(false);
            tracker.add(added);
            live.push(added);
          } else if (what === "ack" && one !== undefined) {
            one.state = "settling";
            model.done[sequenceOf(one)] = true;
            live = live.filter((other) => other !== one);
          } else if (what === "nak" && one !== undefined) {
            // Core gives it again: another delivery stands for it.
            const again = delivery(sequenceOf(one), shard);
            one.state = "settled";
            one.successor = again;
            live = live.map((other) => (other === one ? again : other));
          } else if (what === "commit" || what === "commit-fails") {
            const moved = tracker.advance();
            for (const [shardId, each] of models.entries()) {
              const found = moved.find(({ last }) => last.incoming.shardId === shardId);
              expect(found === undefined ? each.committed : sequenceOf(found.last) + 1).toBe(each.position);
              expect(found?.covered.map(sequenceOf) ?? []).toEqual(
                Array.from({ length: each.position - each.committed }, (_, i) => each.committed + i),
              );
              if (what === "commit") {
                for (const covered of found?.covered ?? []) covered.state = "settled";
                each.committed = each.position;
              } else if (found !== undefined) tracker.restore(found.covered);
            }
          } else if (what === "lose") {
            tracker.forget([{ streamKey: "s", shardId: shard }]);
            for (const lost of ours) lost.state = "lost";
            live = live.filter(({ incoming }) => incoming.shardId !== shard);
            // Ours anew, from what is committed.
            model.done.length = model.committed;
          }
          expect(tracker.open({ streamKey: "s", shardId: shard })).toBe(model.done.length - model.committed);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is not held up by what was being committed when its shard went, and is ours anew", () => {
    const tracker = new PositionTracker();
    const [old] = [delivery(1)];
    tracker.add(old);
    old.state = "settling";
    const [moved] = tracker.advance();
    tracker.forget([{ streamKey: "s", shardId: 0 }]);
    old.state = "lost";
    const anew = delivery(1);
    tracker.add(anew);
    tracker.restore(moved?.covered ?? []);
    anew.state = "settling";
    expect(tracker.advance().map(({ last }) => last)).toEqual([anew]);
  });
});
