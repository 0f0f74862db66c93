/** How cases join groups, what the broker itself says of a group, and how several members are read at once. */
import assert from "node:assert/strict";
import { type Consumer, type ConsumerMode, type ConsumerOptions, isStreamError, type Message, type Streamer } from "@seaway/core";
import { claims } from "../conformance/ability.ts";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Leases, LeaseTimes } from "../conformance/harness.ts";
import { eventually } from "../wait/eventually.ts";
import { texts } from "./reading.ts";

/** The group of every case that needs only one. */
export const GROUP = "g";

export interface JoinOptions<T> extends ConsumerOptions<T> {
  /** Whose consumer it is. Default: the case's first streamer. */
  readonly streamer?: Streamer;
}

function join<T>(
  context: CaseContext,
  mode: ConsumerMode,
  streams: string | readonly string[],
  options: JoinOptions<T>,
): Promise<Consumer<T>> {
  const { streamer = context.streamer, ...own } = options;
  return streamer.createConsumer<T, ConsumerMode>(streams, {
    mode,
    group: GROUP,
    autoStreamReset: "earliest",
    autoCommit: "rolling",
    // Cases that wait for what the broker has been told need not wait for a second.
    autoCommitIntervalMs: 20,
    ...own,
  });
}

/** One member of a load-balanced group: from the earliest on and in rolling, unless told otherwise. */
export function member<T = Uint8Array>(
  context: CaseContext,
  streams: string | readonly string[],
  options: JoinOptions<T> = {},
): Promise<Consumer<T>> {
  return join(context, "load-balanced", streams, options);
}

/** The reader of a resumable group: from the earliest on and in rolling, unless told otherwise. */
export function reader<T = Uint8Array>(
  context: CaseContext,
  streams: string | readonly string[],
  options: JoinOptions<T> = {},
): Promise<Consumer<T>> {
  return join(context, "resumable", streams, options);
}

/** For cases that wait for a lease to pass: long enough for a busy machine, short enough for a test. */
const SHORT: LeaseTimes = { idleMs: 500, intervalMs: 50 };

/** Consumer options under which leases are as short as the backend allows; for cases that offer `shortLeases`. */
export function leases(context: CaseContext, times: LeaseTimes = SHORT): Leases {
  const { shortLeases } = context.harness;
  if (shortLeases === undefined) throw new TypeError("the harness offers no short leases");
  return shortLeases(times);
}

/** What the broker itself says of a group on a stream that holds `stored` messages. */
export interface GroupState {
  /** Messages that the group will not be given again. */
  readonly done: number;
  /** Delivered and not settled; undefined where the broker keeps only a position. */
  readonly pending: number | undefined;
  readonly members: number;
}

export async function groupState(context: CaseContext, streamKey: string, stored: number, group: string = GROUP): Promise<GroupState> {
  const info = await context.streamer.admin.groupInfo(streamKey, group);
  let pending: number | undefined;
  let lag = 0;
  for (const shard of info.shards) {
    assert.ok(shard.lag !== undefined, "the broker tells the group's lag");
    lag += shard.lag;
    if (shard.pending !== undefined) pending = (pending ?? 0) + shard.pending;
  }
  return { done: stored - lag - (pending ?? 0), pending, members: info.members.length };
}

/** Resolves when the broker says that so many messages of the group are done. */
export async function eventuallyDone(context: CaseContext, streamKey: string, stored: number, done: number, group?: string): Promise<void> {
  let last: number | undefined;
  const holds = async (): Promise<boolean> => {
    last = (await groupState(context, streamKey, stored, group)).done;
    return last === done;
  };
  await eventually(`${done} of ${stored} are done at the broker`, holds, { limitMs: context.limits.waitMs }).catch((error: Error) => {
    throw new Error(`${error.message}: it says ${last}`, { cause: error });
  });
}

/** As many shards as a backend that shares out by shard needs for `members` of them; 1 where there are no shards. */
export function shardsFor(context: CaseContext, members: number): number {
  return claims(context.capabilities, "shards") ? members : 1;
}

/** One message, and which of the consumers got it. */
export interface Gathered {
  readonly member: number;
  readonly message: Message<Uint8Array>;
}

/** Their payloads as text. */
export function textsOf(gathered: readonly Gathered[]): string[] {
  return texts(gathered.map(({ message }) => message));
}

/** Several consumers read at once, each in a loop of its own. */
export interface Gathering {
  /** What came so far. */
  readonly all: readonly Gathered[];
  /** One more consumer; its number is the next. */
  add(consumer: Consumer<Uint8Array>): void;
  /** Resolves when `holds`; rejects at the limit, saying how many came, and at once with what a loop failed with. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Ends the loops; what nobody asked for yet stays with its consumer. Gives all that came. */
  stop(): Promise<readonly Gathered[]>;
}

/** Begins to read; every message is acked, unless told otherwise. */
export function startGathering(
  context: CaseContext,
  consumers: readonly Consumer<Uint8Array>[],
  onMessage: (gathered: Gathered) => void | Promise<void> = ({ message }) => void message.ack(),
): Gathering {
  const all: Gathered[] = [];
  const done = new AbortController();
  const loops: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const read = async (consumer: Consumer<Uint8Array>, index: number): Promise<void> => {
    while (!done.signal.aborted) {
      const message = await consumer.next({ signal: done.signal });
      all.push({ member: index, message });
      await onMessage({ member: index, message });
    }
  };
  const add = (consumer: Consumer<Uint8Array>): void => {
    const loop = read(consumer, loops.length).catch((error: unknown) => {
      if (!isStreamError(error, "aborted")) failure ??= { error };
    });
    loops.push(loop);
  };
  for (const consumer of consumers) add(consumer);
  return {
    all,
    add,
    until: (what, holds) =>
      eventually(
        what,
        () => {
          if (failure !== undefined) throw failure.error;
          return holds();
        },
        { limitMs: context.limits.waitMs },
      ).catch((cause: unknown) => {
        done.abort();
        throw failure === undefined ? new Error(`${what}: ${all.length} messages came`, { cause }) : failure.error;
      }),
    stop: async () => {
      done.abort();
      await Promise.all(loops);
      if (failure !== undefined) throw failure.error;
      return all;
    },
  };
}

/** What several consumers get until there are `count` messages. */
export async function gather(
  context: CaseContext,
  consumers: readonly Consumer<Uint8Array>[],
  count: number,
): Promise<readonly Gathered[]> {
  const gathering = startGathering(context, consumers);
  await gathering.until(`${count} messages`, () => gathering.all.length >= count);
  return gathering.stop();
}

/** Resolves when so much time has passed by the clock that leases go by: only for checking that something does not happen in it. */
export async function timePasses(ms: number, context: CaseContext): Promise<void> {
  const until = performance.now() + ms;
  await eventually(`${ms} ms pass`, () => performance.now() >= until, { limitMs: ms + context.limits.waitMs, everyMs: 5 });
}

/** Holds up the whole process, as a handler does that computes for long. */
export function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
