import * as fc from "fast-check";
import { expect, it } from "vitest";
import { backoffDelayMs } from "./backoff.ts";

it("doubles from the first delay to the greatest, half of it fixed", () => {
  const least = [1, 2, 3, 4, 5, 6].map((attempt) => backoffDelayMs({ firstMs: 100, maxMs: 1000 }, attempt, () => 0));
  expect(least).toEqual([50, 100, 200, 400, 500, 500]);
});

it("lies between half of its step and the whole of it, however many tries there were", () => {
  const attempts = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1000, max: 100_000 }),
      attempts,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (firstMs, maxMs, attempt, random) => {
        const delayMs = backoffDelayMs({ firstMs, maxMs }, attempt, () => random);
        const step = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
        expect(delayMs).toBeGreaterThanOrEqual(step / 2);
        expect(delayMs).toBeLessThanOrEqual(step);
      },
    ),
  );
});
