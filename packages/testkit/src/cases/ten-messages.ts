/** The stage of cases about when messages count as done. */
import assert from "node:assert/strict";
import type { Consumer } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import { groupState, type JoinOptions, member } from "./grouping.ts";
import { numbered, takeUpTo, texts } from "./reading.ts";
import { sendTo } from "./sending.ts";

/** Nothing is committed by the clock within a case. */
export const NEVER_MS = 600_000;

/** A stream of ten messages and a member of a group on it. */
export async function tenMessages(
  context: CaseContext,
  options: JoinOptions<Uint8Array>,
): Promise<{ readonly stream: string; readonly consumer: Consumer }> {
  const stream = context.freshStream();
  await sendTo(context, stream, numbered("m", 10));
  return { stream, consumer: await member(context, stream, options) };
}

export async function assertDone(context: CaseContext, stream: string, done: number, why: string): Promise<void> {
  assert.equal((await groupState(context, stream, 10)).done, done, why);
}

/** What a new member is given, after the others are gone. */
export async function assertLeft(context: CaseContext, stream: string, expected: readonly string[]): Promise<void> {
  const next = await member(context, stream);
  await sendTo(context, stream, ["end"]);
  const left = await takeUpTo(next, "end", context.limits.waitMs);
  assert.deepEqual(texts(left).sort(), [...expected].sort());
}
