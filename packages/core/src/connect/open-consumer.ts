/** From options to a consumer: which streams, from where, in which mode, and the parts that it reads through. */
import { Assignment } from "../consume/assignment.ts";
import { Consumer } from "../consume/consumer.ts";
import type { ConsumerMode } from "../consume/consumer-mode.ts";
import type { ConsumerOptions, StreamSelection } from "../consume/consumer-options.ts";
import { BatchDecoder } from "../consume/decode-batch.ts";
import { Handover } from "../consume/handover.ts";
import { makeSession, openDriverConsumer } from "../consume/open-session.ts";
import { RateLimiter } from "../consume/rate-limiter.ts";
import type { Session } from "../consume/session.ts";
import type { Capabilities } from "../driver/capabilities.ts";
import type { ConsumerRequest, DriverConsumer } from "../driver/driver-consumer.ts";
import type { Shard, ShardPosition, ShardStart } from "../driver/shard.ts";
import { StreamError } from "../error/stream-error.ts";
import type { Producer } from "../produce/producer.ts";
import { anySignal } from "../time/deadline.ts";
import { closeLate } from "./close-late.ts";
import { type ConsumerPlan, planConsumer } from "./consumer-plan.ts";
import { type SelectedStreams, selectStreams } from "./select-streams.ts";
import type { StreamerParts } from "./streamer.ts";

export async function openConsumer<T, Mode extends ConsumerMode>(
  parts: StreamerParts,
  streams: StreamSelection | undefined,
  given: ConsumerOptions<T, Mode>,
  createProducer: () => Promise<Producer>,
  onClosed: (consumer: Consumer<T>) => void,
): Promise<Consumer<T>> {
  const { connection, driver, clock, random, wrapper, events } = parts;
  const { capabilities } = connection;
  const { portable, namespace } = parts.options.check<ConsumerOptions<T, Mode>>("consumer", given);
  const selected = selectStreams(parts, streams);
  const plan = planConsumer(parts, portable);
  const what = `creating a consumer of ${selected.text}`;

  // The parts know each other through these; they are set before anything is read.
  let session: Session<T> | undefined;
  let handover: Handover<T> | undefined;
  let assignment: Assignment | undefined;
  /** Shards that may be about to go: while there are any, nothing is handed over. */
  const revoking = new Set<string>();
  const settleRevoking = (shards: readonly Shard[]): void => {
    const before = revoking.size;
    for (const shard of shards) revoking.delete(`${shard.streamKey}/${shard.shardId}`);
    if (before > 0 && revoking.size === 0) handover?.release();
  };
  const base: Omit<ConsumerRequest, "mode" | "group" | "from" | "until"> = {
    streams: selected.streams,
    consumerName: plan.consumerName,
    createStream: portable.createStream ?? true,
    shards: portable.shards,
    settlement: plan.autoCommit === "immediate" ? "none" : "explicit",
    maxUnsettled: Math.max(plan.maxPrefetchMessages, 1),
    maxUnsettledBytes: plan.maxPrefetchBytes,
    options: namespace,
    holds: (shard, id) => session?.ledger?.holds(shard, id) ?? false,
    onAssigned: (shards) => {
      session?.intake.drain(shards);
      session?.ledger?.loseShards(shards);
      assignment?.learn(shards);
      settleRevoking(shards);
      for (const shard of shards) events.publish(shardEvent("shard-assigned", `is read from ${shard.origin} on`, shard, plan.group));
    },
    onRevoking: async (shards, call) => {
      if (shards.length === 0) return;
      if (revoking.size === 0) handover?.hold();
      for (const shard of shards) revoking.add(`${shard.streamKey}/${shard.shardId}`);
      try {
        await session?.ledger?.settleDone(call.signal);
      } catch (error) {
        // The driver goes on: what could not be told comes again, to whoever owns the shard then.
        events.publish({ code: "commit-failed", level: "warn", message: "acks could not be committed before a rebalance", error });
      }
    },
    onKept: (shards) => settleRevoking(shards),
    onLost: (lost) => {
      if ("shards" in lost) {
        assignment?.forget(lost.shards);
        session?.intake.drain(lost.shards);
        session?.ledger?.loseShards(lost.shards);
        settleRevoking(lost.shards);
        for (const shard of lost.shards) events.publish(shardEvent("shard-revoked", "went to another consumer", shard, plan.group));
      } else session?.ledger?.loseTokens(lost.tokens);
    },
  };
  const open = async (request: ConsumerRequest, signal: AbortSignal | undefined): Promise<DriverConsumer> => {
    try {
      return await openDriverConsumer((call) => connection.openConsumer(request, call), {
        clock,
        timeoutMs: plan.timeoutMs,
        readerLeaseMs: plan.mode === "resumable" ? readerLeaseOf(namespace, capabilities) : 0,
        signal: anySignal(signal, parts.ending.signal),
        what,
        wrapper,
        details: { backend: driver.name, phase: "setup", streamKey: selected.only },
        onLate: (late) => closeLate({ clock, timeoutMs: parts.timeoutMs, events }, late),
      });
    } catch (error) {
      throw wrapper.wrap(error, { phase: "setup", streamKey: selected.only, what });
    }
  };
  const decoder = new BatchDecoder<T>({ codec: portable.codec, maxMessageBytes: portable.maxMessageBytes, backend: driver.name });
  const sessionOn = (driverConsumer: DriverConsumer, request: ConsumerRequest): Session<T> =>
    makeSession<T>(driverConsumer, request, {
      ...plan,
      decoder,
      maxMessages: plan.maxPrefetchMessages,
      maxBytes: plan.maxPrefetchBytes,
      nativeNak: capabilities.nak === "native",
      clock,
      random,
      wrapper,
      timeoutMs: parts.timeoutMs,
      publish: events.publish,
      onChange: () => handover?.feed(),
      isAwaited: () => handover?.awaited ?? false,
    });

  const request: ConsumerRequest = { ...base, mode: plan.mode, group: plan.group, from: plan.autoStreamReset, until: portable.until };
  const driverConsumer = await open(request, portable.signal);
  assignment = new Assignment(selected.covers, driverConsumer.start);
  tellNewGroup(parts, plan, selected, driverConsumer.start);
  session = sessionOn(driverConsumer, request);
  const perSecond = portable.maxMessagesPerSecond;
  handover = new Handover<T>(session, {
    backend: driver.name,
    onDecodeError: portable.onDecodeError ?? "throw",
    limiter: perSecond === undefined || perSecond === 0 ? undefined : new RateLimiter(perSecond, clock),
    clock,
    random,
    publish: events.publish,
  });
  const unsupported = (ability: "seek" | "fetch"): StreamError =>
    new StreamError("unsupported", `${ability} on ${driver.name}${because(capabilities.reasons?.[ability])}`, { backend: driver.name });
  const consumer: Consumer<T> = new Consumer<T>({
    backend: driver.name,
    session,
    handover,
    assignment,
    plan,
    onDecodeError: portable.onDecodeError,
    isReadToItsEnd: portable.until === "end",
    clock,
    random,
    wrapper,
    timeoutMs: parts.timeoutMs,
    unsupported: {
      ...(capabilities.seek ? {} : { seek: unsupported("seek") }),
      ...(capabilities.fetch && driverConsumer.flow === "pull" ? {} : { fetch: unsupported("fetch") }),
    },
    countsGivenBack: capabilities.nak === "native" && driverConsumer.flow === "pull",
    publish: events.publish,
    reopen: async (targets: readonly ShardPosition[], signal) => {
      const moved: ConsumerRequest = { ...base, mode: "real-time", group: undefined, from: targets, settlement: "explicit" };
      // The group's shards are no longer ours: what was announced of them does not follow.
      if (revoking.size > 0) {
        revoking.clear();
        handover?.release();
      }
      session = sessionOn(await open(moved, signal), moved);
      return session;
    },
    createProducer,
    onClosed: () => onClosed(consumer),
  });
  return consumer;
}

/** As the program set it, else as the backend has it. */
function readerLeaseOf(namespace: Readonly<Record<string, unknown>>, capabilities: Capabilities): number {
  const given = namespace.readerLeaseMs;
  return typeof given === "number" ? given : (capabilities.readerLeaseMs ?? 0);
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : `: ${reason}`;
}

function shardEvent(
  code: "shard-assigned" | "shard-revoked",
  text: string,
  { streamKey, shardId }: { readonly streamKey: string; readonly shardId: number },
  group: string | undefined,
) {
  const message = `shard ${shardId} of "${streamKey}" ${text}`;
  return { code, level: "info" as const, message, streamKey, shardId, ...(group === undefined ? {} : { group }) };
}

/** A group without a position begins somewhere: with `latest` that is easily missed. */
function tellNewGroup(parts: StreamerParts, plan: ConsumerPlan, selected: SelectedStreams, start: readonly ShardStart[]): void {
  const fresh = start.filter(({ origin }) => origin === "earliest" || origin === "latest");
  if (plan.group === undefined || fresh.length === 0) return;
  const message = `group "${plan.group}" had no position on ${selected.text} (${fresh.length} shards) and begins at ${plan.autoStreamReset}`;
  parts.events.publish({ code: "group-created", level: "info", message, group: plan.group });
}
