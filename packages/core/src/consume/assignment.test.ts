import { describe, expect, it } from "vitest";
import { Assignment } from "./assignment.ts";
import type { RewindTarget } from "./consumer-options.ts";

const KNOWN = [
  { streamKey: "a", shardId: 0 },
  { streamKey: "a", shardId: 1 },
  { streamKey: "b", shardId: 0 },
];

function assignmentOf(known = KNOWN): Assignment {
  return new Assignment((streamKey) => ["a", "b"].includes(streamKey), known);
}

function names(targets: readonly { readonly streamKey: string; readonly shardId: number }[]): string[] {
  return targets.map(({ streamKey, shardId }) => `${streamKey}/${shardId}`);
}

describe("where a seek or rewind goes", () => {
  it("is every shard while none was assigned, else those that were", () => {
    const assignment = assignmentOf();
    expect(assignment.targets("end")).toEqual(KNOWN.map((shard) => ({ ...shard, position: "end" })));
    assignment.assign("a", 1);
    assignment.assign("a", 1);
    // A shard that is not known yet may be meant for later.
    assignment.assign("b", 7);
    expect(names(assignment.targets({ afterMs: 5 }))).toEqual(["a/1", "b/7"]);
    assignment.unassign("a", 1);
    assignment.unassign("b", 7);
    expect(names(assignment.targets("beginning"))).toEqual(["a/0", "a/1", "b/0"]);
  });

  it("includes shards that were found later, and not those that were taken away", () => {
    const assignment = assignmentOf();
    assignment.learn([{ streamKey: "b", shardId: 1 }]);
    assignment.forget([{ streamKey: "a", shardId: 0 }]);
    expect(names(assignment.targets("end"))).toEqual(["a/1", "b/0", "b/1"]);
  });

  it("is one sequence only where there is one shard", () => {
    const assignment = assignmentOf();
    expect(() => assignment.rewindTargets({ at: 5n })).toThrow(
      expect.objectContaining({ code: "not-assigned", message: expect.stringMatching(/3 shards: assign\(/) }),
    );
    assignment.assign("b", 0);
    expect(assignment.rewindTargets({ at: 5n })).toEqual([{ streamKey: "b", shardId: 0, position: { at: 5n } }]);
  });

  it("may be a sequence for each stream and shard, whatever was assigned", () => {
    const assignment = assignmentOf();
    assignment.assign("b", 0);
    expect(assignment.rewindTargets({ at: { a: { 0: 5n, 1: 6n } } })).toEqual([
      { streamKey: "a", shardId: 0, position: { at: 5n } },
      { streamKey: "a", shardId: 1, position: { at: 6n } },
    ]);
    expect(() => assignment.rewindTargets({ at: { c: { 0: 5n } } })).toThrow(
      expect.objectContaining({ code: "stream-key-not-found", streamKey: "c" }),
    );
  });

  it.each([["start"], [5n], [null], [{}], [{ at: 5 }], [{ at: null }]])("cannot be %o", (target) => {
    expect(() => assignmentOf([]).rewindTargets(target as unknown as RewindTarget)).toThrow(TypeError);
  });
});

describe("what is wrong with an assignment", () => {
  it("is said with its code", () => {
    const assignment = assignmentOf();
    expect(() => assignment.assign("c", 0)).toThrow(expect.objectContaining({ code: "stream-key-not-found" }));
    expect(() => assignment.unassign("c", 0)).toThrow(expect.objectContaining({ code: "stream-key-not-found" }));
    expect(() => assignment.unassign("a", 0)).toThrow(expect.objectContaining({ code: "not-assigned" }));
    for (const shardId of [-1, 1.5, Number.NaN]) expect(() => assignment.assign("a", shardId)).toThrow(TypeError);
  });
});
