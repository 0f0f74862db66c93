/**
 * Members that die in the middle of their work. Here they live in this process and are abandoned, which is a crash to the broker; a
 * harness whose broker other processes can reach may one day have a real one killed in their place, so a case says all it wants beforehand.
 */
import type { Consumer } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import { abandon } from "../fault/abandon.ts";
import { type JoinOptions, member, reader } from "./grouping.ts";
import { take, texts } from "./reading.ts";

export interface DyingMemberTask {
  readonly mode: "resumable" | "load-balanced";
  readonly streamKey: string;
  /** So many messages are handed to its program. */
  readonly take: number;
  /** So many of them, from the first, are acked and committed. */
  readonly commit?: number;
  /** So many after those are acked, and the broker is not told. */
  readonly ack?: number;
  readonly options?: Omit<JoinOptions<Uint8Array>, "streamer" | "autoCommit" | "autoCommitIntervalMs">;
}

export interface DyingMember {
  /** Payloads of what it was handed. */
  readonly taken: readonly string[];
  /** Without a word to the broker. */
  die(): Promise<void>;
}

/** Resolves when the task is done and the member lives on, holding what it did not ack. */
export async function openDyingMember(context: CaseContext, task: DyingMemberTask): Promise<DyingMember> {
  const open = task.mode === "resumable" ? reader : member;
  const consumer: Consumer = await open(context, task.streamKey, {
    ...task.options,
    streamer: await context.connect(),
    // Nothing is committed behind the case's back.
    autoCommitIntervalMs: 600_000,
  });
  const messages = await take(consumer, task.take, context.limits.waitMs);
  const committed = task.commit ?? 0;
  for (const message of messages.slice(0, committed)) message.ack();
  if (committed > 0) await consumer.commit();
  for (const message of messages.slice(committed, committed + (task.ack ?? 0))) message.ack();
  return { taken: texts(messages), die: () => abandon(consumer) };
}
