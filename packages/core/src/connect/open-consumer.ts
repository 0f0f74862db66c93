/** From options to a consumer: checks, defaults, which streams, the driver's half, and the parts it reads through. */
import { Assignment } from "../consume/assignment.ts";
import { Consumer } from "../consume/consumer.ts";
import type { ConsumerMode } from "../consume/consumer-mode.ts";
import type { ConsumerOptions, StreamSelection } from "../consume/consumer-options.ts";
import { BatchDecoder } from "../consume/decode-batch.ts";
import { Handover } from "../consume/handover.ts";
import { Intake } from "../consume/intake.ts";
import { RateLimiter } from "../consume/rate-limiter.ts";
import { realTimeSettler } from "../consume/real-time-settler.ts";
import type { ConsumerRequest, DriverConsumer } from "../driver/driver-consumer.ts";
import { StreamError } from "../error/stream-error.ts";
import { anySignal, withDeadline } from "../time/deadline.ts";
import { assertGroupName } from "../url/group-name.ts";
import { assertUsableStreamKey } from "../url/stream-key.ts";
import { compilePattern } from "../url/stream-pattern.ts";
import { closeLate } from "./close-late.ts";
import { assertShardCount } from "./shard-count.ts";
import type { StreamerParts } from "./streamer.ts";

const DEFAULT_PREFETCH_MESSAGES = 1000;
const DEFAULT_PREFETCH_BYTES = 64 * 1024 * 1024;

export async function openConsumer<T, Mode extends ConsumerMode>(
  parts: StreamerParts,
  streams: StreamSelection | undefined,
  given: ConsumerOptions<T, Mode>,
  onClosed: (consumer: Consumer<T>) => void,
): Promise<Consumer<T>> {
  const { connection, driver, clock, wrapper, events } = parts;
  const { portable, namespace } = parts.options.check<ConsumerOptions<T, Mode>>("consumer", given);
  const selected = selectStreams(parts, streams);
  const mode: ConsumerMode = portable.mode ?? "real-time";
  const fail = (code: "group-is-set" | "group-not-set" | "unsupported" | "invalid-option", text: string): StreamError =>
    new StreamError(code, text, { phase: "setup", backend: driver.name });

  if (mode === "real-time" && portable.group !== undefined) {
    throw fail("group-is-set", `a real-time consumer has no group: leave group out, or say mode "resumable" or "load-balanced"`);
  }
  if (mode === "load-balanced" && portable.group === undefined) throw fail("group-not-set", "a load-balanced consumer needs a group");
  if (portable.group !== undefined) assertGroupName(portable.group, "group");
  if (portable.consumerName !== undefined) assertGroupName(portable.consumerName, "consumerName");
  const { capabilities } = connection;
  if (!capabilities.modes.includes(mode)) {
    throw fail(
      "unsupported",
      `mode "${mode}" on ${driver.name}: ${capabilities.reasons?.[mode] ?? `it has ${capabilities.modes.join(", ")}`}`,
    );
  }
  if (mode === "real-time" && portable.autoCommit !== undefined)
    throw fail("invalid-option", "autoCommit in real-time mode: nothing is committed there");
  if (portable.onDecodeError === "dead-letter") throw fail("unsupported", `onDecodeError: "dead-letter" comes with run`);
  assertShardCount(portable.shards, driver.name);
  if ((portable.shards ?? 1) > 1 && !capabilities.shards) throw fail("unsupported", `shards on ${driver.name}`);

  const maxMessages = Math.max(portable.maxPrefetchMessages ?? DEFAULT_PREFETCH_MESSAGES, 1);
  const maxBytes = Math.max(portable.maxPrefetchBytes ?? DEFAULT_PREFETCH_BYTES, 1);
  let assignment: Assignment | undefined;
  const request: ConsumerRequest = {
    mode,
    streams: selected.streams,
    group: portable.group,
    consumerName: portable.consumerName ?? `${parts.clientName}-${Math.floor(parts.random() * 2 ** 48).toString(36)}`,
    from: portable.autoStreamReset ?? "latest",
    until: portable.until,
    createStream: portable.createStream ?? true,
    shards: portable.shards,
    settlement: "explicit",
    maxUnsettled: maxMessages,
    maxUnsettledBytes: maxBytes,
    options: namespace,
    holds: () => false,
    onAssigned: (shards) => {
      assignment?.learn(shards);
      for (const { streamKey, shardId, origin } of shards) {
        events.publish({
          code: "shard-assigned",
          level: "info",
          message: `shard ${shardId} of "${streamKey}" is read from ${origin}`,
          streamKey,
          shardId,
        });
      }
    },
    onRevoking: async (shards) => assignment?.forget(shards),
    onLost: () => {},
  };
  const what = `creating a consumer of ${selected.text}`;
  const timeoutMs = portable.timeoutMs ?? parts.timeoutMs;
  let driverConsumer: DriverConsumer;
  try {
    driverConsumer = await withDeadline(
      {
        clock,
        timeoutMs,
        signal: anySignal(portable.signal, parts.ending.signal),
        what,
        details: { backend: driver.name, phase: "setup", streamKey: selected.only },
      },
      (call) => connection.openConsumer(request, call),
      (late) => closeLate({ clock, timeoutMs, events }, late),
    );
  } catch (error) {
    throw wrapper.wrap(error, { phase: "setup", streamKey: selected.only, what });
  }

  assignment = new Assignment(selected.covers, driverConsumer.start);
  const decoder = new BatchDecoder<T>({
    codec: portable.codec,
    maxMessageBytes: portable.maxMessageBytes,
    backend: driver.name,
    settler: realTimeSettler,
  });
  const intake = new Intake<T>(driverConsumer, decoder, {
    maxMessages,
    maxBytes,
    clock,
    random: parts.random,
    wrapper,
    publish: events.publish,
    onChange: () => handover.feed(),
  });
  const perSecond = portable.maxMessagesPerSecond;
  const handover: Handover<T> = new Handover<T>(intake, {
    backend: driver.name,
    onDecodeError: portable.onDecodeError ?? "throw",
    limiter: perSecond === undefined || perSecond === 0 ? undefined : new RateLimiter(perSecond, clock),
    clock,
    publish: events.publish,
  });
  const consumer: Consumer<T> = new Consumer<T>({
    driver: driverConsumer,
    intake,
    handover,
    assignment,
    clock,
    wrapper,
    timeoutMs: parts.timeoutMs,
    unsupported: {
      ...(capabilities.seek
        ? {}
        : { seek: fail("unsupported", `seek and rewind on ${driver.name}${because(capabilities.reasons?.seek)}`) }),
      ...(capabilities.fetch && driverConsumer.flow === "pull"
        ? {}
        : { fetch: fail("unsupported", `fetch on ${driver.name}${because(capabilities.reasons?.fetch)}`) }),
    },
    onClosed: () => onClosed(consumer),
  });
  return consumer;
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : `: ${reason}`;
}

interface Selected {
  readonly streams: readonly string[] | { readonly pattern: string };
  /** For texts. */
  readonly text: string;
  /** The key, if it is only one. */
  readonly only: string | undefined;
  covers(streamKey: string): boolean;
}

function selectStreams(parts: StreamerParts, streams: StreamSelection | undefined): Selected {
  const { capabilities } = parts.connection;
  const backend = parts.driver.name;
  if (typeof streams === "object" && !Array.isArray(streams) && "pattern" in streams) {
    const { pattern } = streams;
    const covers = compilePattern(pattern);
    if (capabilities.patterns === "none" || (capabilities.patterns === "all" && pattern !== "**")) {
      const reason =
        capabilities.reasons?.patterns ?? (capabilities.patterns === "all" ? 'only the pattern "**"' : "list the streams instead");
      throw new StreamError("unsupported", `pattern "${pattern}" on ${backend}: ${reason}`, { phase: "setup", backend });
    }
    return { streams: { pattern }, text: `"${pattern}"`, only: undefined, covers };
  }
  const keys = typeof streams === "string" ? [streams] : ((streams as readonly string[] | undefined) ?? parts.url.streamKeys);
  if (!Array.isArray(keys)) throw new TypeError('streams are a key, a list of keys, or { pattern: "orders.*" }; options come second');
  if (keys.length === 0)
    throw new StreamError("stream-key-empty", "name at least one stream, in createConsumer or behind the URL's last slash", {
      phase: "setup",
    });
  for (const key of keys) assertUsableStreamKey(key, "consume");
  const unique = [...new Set(keys)];
  return {
    streams: unique,
    text: unique.map((key) => `"${key}"`).join(", "),
    only: unique.length === 1 ? unique[0] : undefined,
    covers: (streamKey) => unique.includes(streamKey),
  };
}
