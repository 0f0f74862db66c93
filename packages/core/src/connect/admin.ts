/** Looking after streams and groups: `streamer.admin`. Every call checks its names and that the backend claims it, then is the driver's. */
import type { AdminCall } from "../driver/capabilities.ts";
import type { CallOptions, DriverConnection, Retention } from "../driver/driver.ts";
import type { GroupInfo, StreamInfo } from "../driver/driver-admin.ts";
import type { Position } from "../driver/shard.ts";
import { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import type { Clock } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import { assertGroupName } from "../url/group-name.ts";
import { assertStreamKey } from "../url/stream-key.ts";
import type { CheckedOptions } from "./option-checks.ts";
import { assertShardCount } from "./shard-count.ts";

export interface AdminParts {
  readonly backend: string;
  readonly connection: DriverConnection;
  readonly clock: Clock;
  readonly wrapper: ErrorWrapper;
  readonly timeoutMs: number;
  assertOpen(): void;
  checkStreamOptions(options: CreateStreamOptions): CheckedOptions<CreateStreamOptions>;
}

/** Each driver adds its namespace here by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by drivers
export interface StreamNamespaces {}

export interface CreateStreamOptions extends StreamNamespaces {
  /** Default: 1. An existing stream with another count is `invalid-option`. */
  readonly shards?: number | undefined;
  /** What the stream keeps. Default: what the backend does by itself. `unsupported` where that is the producer's to say. */
  readonly retention?: Retention | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: the streamer's. */
  readonly timeoutMs?: number | undefined;
}

interface AdminCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Administration of the backend behind one streamer. A call that the backend does not have rejects `unsupported`. */
export class Admin {
  readonly #parts: AdminParts;

  /** @internal */
  constructor(parts: AdminParts) {
    this.#parts = parts;
  }

  /** Makes a stream; an existing one is left as it is. */
  async createStream(streamKey: string, options: CreateStreamOptions = {}): Promise<{ readonly shards: number }> {
    assertStreamKey(streamKey);
    const { portable, namespace } = this.#parts.checkStreamOptions(options);
    const { connection, backend } = this.#parts;
    const { shards, retention, signal, timeoutMs } = portable;
    assertShardCount(shards, backend);
    if (retention !== undefined && !connection.capabilities.retention) throw unsupported(backend, connection, "retention");
    if ((shards ?? 1) > 1 && !connection.capabilities.shards) throw unsupported(backend, connection, "shards");
    const request = { create: true, shards, retention, options: namespace };
    const shape = await this.#call(
      "createStream",
      streamKey,
      signal,
      (call) => connection.ensureStream(streamKey, request, call),
      timeoutMs,
    );
    if (shards !== undefined && shape.shards !== shards) {
      throw new StreamError("invalid-option", `stream "${streamKey}" exists with ${shape.shards} shards, not ${shards}`, {
        backend,
        streamKey,
      });
    }
    return { shards: shape.shards };
  }

  async deleteStream(streamKey: string, options?: AdminCallOptions): Promise<void> {
    assertStreamKey(streamKey);
    await this.#call("deleteStream", streamKey, options?.signal, (call) => this.#parts.connection.admin.deleteStream(streamKey, call));
  }

  /** The streams' keys, sorted. */
  async listStreams(options?: AdminCallOptions): Promise<readonly string[]> {
    const keys = await this.#call("listStreams", undefined, options?.signal, (call) => this.#parts.connection.admin.listStreams(call));
    return [...keys].sort();
  }

  /** Length, first and last sequence, bytes, per shard. */
  async streamInfo(streamKey: string, options?: AdminCallOptions): Promise<StreamInfo> {
    assertStreamKey(streamKey);
    return this.#call("streamInfo", streamKey, options?.signal, (call) => this.#parts.connection.admin.streamInfo(streamKey, call));
  }

  /** Removes what lies before `to`. */
  async trim(streamKey: string, to: Position, options?: AdminCallOptions): Promise<void> {
    assertStreamKey(streamKey);
    await this.#call("trim", streamKey, options?.signal, (call) => this.#parts.connection.admin.trim(streamKey, to, call));
  }

  /** Makes a group that starts at `position`; an existing one is left as it is. */
  async createGroup(streamKey: string, group: string, position: Position, options?: AdminCallOptions): Promise<void> {
    await this.#setGroup(streamKey, group, position, "create", options?.signal);
  }

  /** Moves a group; with live members it is `group-in-use`. */
  async resetGroup(streamKey: string, group: string, position: Position, options?: AdminCallOptions): Promise<void> {
    await this.#setGroup(streamKey, group, position, "reset", options?.signal);
  }

  async deleteGroup(streamKey: string, group: string, options?: AdminCallOptions): Promise<void> {
    assertStreamKey(streamKey);
    assertGroupName(group, "group");
    await this.#call("deleteGroup", streamKey, options?.signal, (call) => this.#parts.connection.admin.deleteGroup(streamKey, group, call));
  }

  async listGroups(streamKey: string, options?: AdminCallOptions): Promise<readonly string[]> {
    assertStreamKey(streamKey);
    return this.#call("listGroups", streamKey, options?.signal, (call) => this.#parts.connection.admin.listGroups(streamKey, call));
  }

  /** Members, and per shard what is pending, committed, and yet to be delivered. */
  async groupInfo(streamKey: string, group: string, options?: AdminCallOptions): Promise<GroupInfo> {
    assertStreamKey(streamKey);
    assertGroupName(group, "group");
    return this.#call("groupInfo", streamKey, options?.signal, (call) => this.#parts.connection.admin.groupInfo(streamKey, group, call));
  }

  async #setGroup(
    streamKey: string,
    group: string,
    to: Position,
    mode: "create" | "reset",
    signal: AbortSignal | undefined,
  ): Promise<void> {
    assertStreamKey(streamKey);
    assertGroupName(group, "group");
    await this.#call("setGroup", streamKey, signal, (call) => this.#parts.connection.admin.setGroup(streamKey, group, to, mode, call));
  }

  async #call<R>(
    name: AdminCall,
    streamKey: string | undefined,
    signal: AbortSignal | undefined,
    work: (call: CallOptions) => Promise<R>,
    timeoutMs: number = this.#parts.timeoutMs,
  ): Promise<R> {
    const { backend, connection, clock, wrapper } = this.#parts;
    this.#parts.assertOpen();
    if (!connection.capabilities.admin.includes(name)) throw unsupported(backend, connection, name);
    try {
      return await withDeadline({ clock, timeoutMs, signal, what: `admin.${name}`, details: { backend, streamKey } }, work);
    } catch (error) {
      throw wrapper.wrap(error, { streamKey, what: `admin.${name}` });
    }
  }
}

function unsupported(backend: string, connection: DriverConnection, what: string): StreamError {
  const reason = connection.capabilities.reasons?.[what];
  return new StreamError("unsupported", `${what} on ${backend}${reason === undefined ? "" : `: ${reason}`}`, { backend });
}
