/** Random histories of a group on memory against a model of what a group promises. */
import fc from "fast-check";
import { test } from "vitest";
import { describeHistory, history, playHistory } from "./group-history.ts";

const HISTORIES = Number(process.env.SEAWAY_HISTORIES ?? 20_000);
const SEED = Number(process.env.SEAWAY_SEED ?? Date.now() % 2 ** 31);

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
