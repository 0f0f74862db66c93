/** A consumer's options, checked against each other and the backend, with every default filled in. */
import type { AutoCommit, AutoStreamReset, ConsumerMode } from "../consume/consumer-mode.ts";
import type { ConsumerOptions } from "../consume/consumer-options.ts";
import { StreamError } from "../error/stream-error.ts";
import { assertGroupName } from "../url/group-name.ts";
import { findHostId } from "./host-id.ts";
import { assertShardCount } from "./shard-count.ts";
import type { StreamerParts } from "./streamer.ts";

export interface ConsumerPlan {
  readonly mode: ConsumerMode;
  /** Undefined in real-time mode. */
  readonly group: string | undefined;
  readonly consumerName: string;
  readonly autoStreamReset: AutoStreamReset;
  readonly autoCommit: AutoCommit;
  readonly autoCommitIntervalMs: number;
  readonly autoCommitDelayMs: number;
  readonly keepAliveMs: number;
  readonly ackTimeoutMs: number | undefined;
  readonly maxPrefetchMessages: number;
  readonly maxPrefetchBytes: number;
  readonly timeoutMs: number;
}

const DEFAULT_PREFETCH_BYTES = 64 * 1024 * 1024;

/** Throws `group-is-set`, `group-not-set`, `unsupported`, `invalid-option`. */
export function planConsumer<T>(parts: StreamerParts, options: ConsumerOptions<T>): ConsumerPlan {
  const { capabilities } = parts.connection;
  const backend = parts.driver.name;
  const fail = (code: "group-is-set" | "group-not-set" | "unsupported" | "invalid-option", text: string): StreamError =>
    new StreamError(code, text, { phase: "setup", backend });
  const mode = options.mode ?? "real-time";
  if (mode === "real-time" && options.group !== undefined) {
    throw fail("group-is-set", 'a real-time consumer has no group: leave group out, or say mode "resumable" or "load-balanced"');
  }
  if (mode === "load-balanced" && options.group === undefined) throw fail("group-not-set", "a load-balanced consumer needs a group");
  if (options.group !== undefined) assertGroupName(options.group, "group");
  if (options.consumerName !== undefined) assertGroupName(options.consumerName, "consumerName");
  if (!capabilities.modes.includes(mode)) {
    const reason = capabilities.reasons?.[mode] ?? `it has ${capabilities.modes.join(", ")}`;
    throw fail("unsupported", `mode "${mode}" on ${backend}: ${reason}`);
  }
  if (mode === "real-time" && options.autoCommit !== undefined) {
    throw fail("invalid-option", "autoCommit in real-time mode: nothing is committed there");
  }
  assertShardCount(options.shards, backend);
  if ((options.shards ?? 1) > 1 && !capabilities.shards) throw fail("unsupported", `shards on ${backend}`);
  const autoCommit = options.autoCommit ?? "on-next";
  const group = mode === "real-time" ? undefined : (options.group ?? defaultGroup(parts));
  const isShared = mode === "load-balanced" || autoCommit === "immediate";
  const maxPrefetchMessages = options.maxPrefetchMessages ?? (isShared ? 100 : 1000);
  return {
    mode,
    group,
    consumerName: options.consumerName ?? (mode === "resumable" && group !== undefined ? group : memberName(parts)),
    autoStreamReset: options.autoStreamReset ?? "latest",
    autoCommit,
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? 1000,
    autoCommitDelayMs: options.autoCommitDelayMs ?? 5000,
    keepAliveMs: options.keepAliveMs ?? 300_000,
    ackTimeoutMs: options.ackTimeoutMs,
    maxPrefetchMessages: autoCommit === "immediate" ? maxPrefetchMessages : Math.max(maxPrefetchMessages, 1),
    maxPrefetchBytes: Math.max(options.maxPrefetchBytes ?? DEFAULT_PREFETCH_BYTES, 1),
    timeoutMs: options.timeoutMs ?? parts.timeoutMs,
  };
}

/** `<host>:r`, as SeaStreamer has it. */
function defaultGroup(parts: StreamerParts): string {
  const host = findHostId();
  if (host === undefined) {
    throw new StreamError("group-not-set", "this host has neither HOST_ID nor a MAC address to make a default group of: give one", {
      phase: "setup",
    });
  }
  const group = `${host.id}:r`;
  if (host.isPassing) {
    const message = `the group is "${group}", after this container: the next deploy has another and will not go on from here; set HOST_ID, or give a group`;
    parts.events.publish({ code: "container-group", level: "warn", message, group });
  }
  return group;
}

function memberName(parts: StreamerParts): string {
  const host = findHostId()?.id ?? parts.clientName;
  return `${host.slice(0, 100)}:${process.pid}:${Math.floor(parts.random() * 2 ** 48).toString(36)}`;
}
