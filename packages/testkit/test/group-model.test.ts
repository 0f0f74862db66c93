/** Random histories of a group on memory against a model of what a group promises. */

import { memory } from "@seaway/core/memory";
import { interceptDriver } from "@seaway/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { describeHistory, history, playHistory } from "./group-history.ts";
import { plantedGroupDefects } from "./planted-group-defects.ts";

const HISTORIES = Number(process.env.SEAWAY_HISTORIES ?? 20_000);
/**
 * The same histories in every run, so that a change is judged by them and not by luck; SEAWAY_SEED=random plays others. One such run
 * found a count that the model does not expect (seed 2129655578): whether model or core is wrong is open, see CONTRIBUTING.
 */
const GIVEN = process.env.SEAWAY_SEED ?? "20261121";
const SEED = GIVEN === "random" ? Date.now() % 2 ** 31 : Number(GIVEN);

test(`a group keeps its promises in ${HISTORIES} histories (SEAWAY_SEED=${SEED})`, { timeout: 600_000 }, async () => {
  const property = fc.asyncProperty(history, (given) => playHistory(given));
  await fc.assert(property, {
    seed: SEED,
    numRuns: HISTORIES,
    reporter: (details) => {
      if (!details.failed) return;
      const smallest = details.counterexample?.[0];
      const told = smallest === undefined ? "no history" : describeHistory(smallest);
      const cause = details.errorInstance;
      throw new Error(
        `seed ${details.seed}, path ${details.counterexamplePath}, after ${details.numRuns} histories and ${details.numShrinks} shrinks:\n${told}\n${String(cause)}`,
        { cause },
      );
    },
  });
});

for (const { title, interception } of plantedGroupDefects.filter(({ seenByModel }) => seenByModel)) {
  test(`finds a driver that ${title}`, { timeout: 60_000 }, async () => {
    const driver = interceptDriver(memory(), interception);
    const property = fc.asyncProperty(history, (given) => playHistory(given, driver));
    const details = await fc.check(property, { seed: SEED, numRuns: 3_000, endOnFailure: true });
    expect(details.failed, `none of ${details.numRuns} histories shows it`).toBe(true);
    expect(String(details.errorInstance)).toContain("BrokenPromise");
  });
}
