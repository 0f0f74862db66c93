/** What cases assert beside equality: which failure, which order. */
import assert from "node:assert/strict";
import { type ErrorCode, isStreamError, type StreamError } from "@seaway/core";

/** Checks that `work` rejects (or throws) with a {@link StreamError} of one of these codes, and gives it. */
export async function failsWith(codes: ErrorCode | readonly ErrorCode[], work: () => unknown): Promise<StreamError> {
  const expected = typeof codes === "string" ? [codes] : codes;
  const name = expected.join(" or ");
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (isStreamError(error) && expected.includes(error.code)) return error;
    throw new Error(`expected ${name}, but it failed otherwise`, { cause: error });
  }
  throw new assert.AssertionError({ message: `expected ${name}, but it did not fail`, actual: result, expected: name });
}

/** Checks that sequences strictly increase within each shard. */
export function assertIncreasing(
  places: readonly { readonly streamKey: string; readonly shardId: number; readonly sequence: bigint }[],
): void {
  const last = new Map<string, bigint>();
  for (const { streamKey, shardId, sequence } of places) {
    const shard = `${streamKey} ${shardId}`;
    const before = last.get(shard);
    assert.ok(before === undefined || before < sequence, `sequence ${sequence} of ${shard} follows ${before}`);
    last.set(shard, sequence);
  }
}

/** Checks that each is there as often as expected, in whatever order. */
export function assertSameSet(actual: readonly string[], expected: readonly string[]): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
}

/** Whether a promise has settled, without waiting for it. */
export function watch(promise: Promise<unknown>): { readonly settled: boolean } {
  const state = { settled: false };
  const note = (): void => {
    state.settled = true;
  };
  promise.then(note, note);
  return state;
}

/** Lets everything run that is ready to run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
