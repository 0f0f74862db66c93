import { expect, test } from "vitest";
import { MarkerRotation } from "./marker-rotation.ts";
import { createStreamId } from "./stream-id.ts";
import { StreamState } from "./stream-state.ts";

function rotationOf(keys: string, capacity: number, counter = 0): MarkerRotation {
  const rotation = new MarkerRotation(capacity, counter);
  for (const key of keys) rotation.add(new StreamState(createStreamId(key, 0)));
  return rotation;
}

const beacons = (rotation: MarkerRotation, count: number) =>
  Array.from({ length: count }, () =>
    rotation
      .next()
      .map(({ id }) => id.key)
      .join(""),
  );

test("streams are named in the order of their keys, whatever order they came in", () => {
  expect(beacons(rotationOf("cab", 10), 2)).toEqual(["abc", "abc"]);
});

test("with room for one marker each stream has its turn", () => {
  expect(beacons(rotationOf("abc", 1), 4)).toEqual(["a", "b", "c", "a"]);
});

test("with room for three of five the turn wraps round", () => {
  expect(beacons(rotationOf("abcde", 3), 4)).toEqual(["abc", "dea", "bcd", "eab"]);
});

test("the counter counts markers, also while all streams fit", () => {
  const rotation = rotationOf("ab", 3);
  expect(beacons(rotation, 2)).toEqual(["ab", "ab"]);
  for (const key of "cde") rotation.add(new StreamState(createStreamId(key, 0)));
  expect(rotation.counter).toBe(4);
  expect(beacons(rotation, 1)).toEqual(["eab"]);
});

test("without room there are no markers and the counter stands", () => {
  const rotation = rotationOf("ab", 0, 7);
  expect(beacons(rotation, 2)).toEqual(["", ""]);
  expect(rotation.counter).toBe(7);
});

test("before the first message there is nothing to name", () => {
  expect(beacons(new MarkerRotation(3, 0), 1)).toEqual([""]);
});
