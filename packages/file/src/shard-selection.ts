/** Which messages of a file a consumer wants: streams and shards, and from where on in each. */
import type { ConsumerRequest, Shard, ShardStart } from "@seaway/core/driver";
import { compilePattern, WILDCARD_STREAM_KEY } from "@seaway/core/driver";
import type { StreamId } from "./format/stream-id.ts";
import type { FileMessage } from "./message.ts";

/** The first message that is wanted of a shard; all after it are wanted, too. */
export type WantedFrom = { readonly offset: number } | { readonly at: bigint } | { readonly afterMs: number };

/** One shard that is read. */
export class ShardCursor implements Shard {
  readonly streamKey: string;
  readonly shardId: number;
  /** The sequence given out last, or that lies before the first to be given out; undefined: it cannot be told yet. */
  passed: bigint | undefined;
  #from: WantedFrom | undefined;

  constructor(shard: Shard, from: WantedFrom | undefined, passed: bigint | undefined) {
    this.streamKey = shard.streamKey;
    this.shardId = shard.shardId;
    this.#from = from;
    this.passed = passed;
  }

  wants(message: FileMessage): boolean {
    const from = this.#from;
    if (from === undefined) return true;
    if (
      "offset" in from ? message.startOffset < from.offset : "at" in from ? message.sequence < from.at : message.timestampMs <= from.afterMs
    )
      return false;
    this.#from = undefined;
    return true;
  }
}

/** Whether a stream is among those that were asked for. */
export function coveredBy(streams: ConsumerRequest["streams"]): (streamKey: string) => boolean {
  if ("pattern" in streams) return compilePattern(streams.pattern);
  if (streams.includes(WILDCARD_STREAM_KEY)) return compilePattern("**");
  const keys = new Set(streams);
  return (streamKey) => keys.has(streamKey);
}

export class ShardSelection {
  readonly #covers: (streamKey: string) => boolean;
  readonly #onAssigned: (shards: readonly ShardStart[]) => void;
  readonly #cursors = new Map<string, ShardCursor>();
  /** Shards that were known and not chosen. */
  readonly #left: ReadonlySet<string>;
  /** By the decoder's own objects, so that no text is put together for a message. */
  readonly #byId = new Map<StreamId, ShardCursor | undefined>();

  /** `left`: shards that are not to be read. */
  constructor(
    covers: (streamKey: string) => boolean,
    cursors: readonly ShardCursor[],
    left: readonly Shard[],
    onAssigned: (shards: readonly ShardStart[]) => void,
  ) {
    this.#covers = covers;
    this.#onAssigned = onAssigned;
    for (const cursor of cursors) this.#cursors.set(nameOf(cursor), cursor);
    this.#left = new Set(left.map(nameOf));
  }

  get cursors(): Iterable<ShardCursor> {
    return this.#cursors.values();
  }

  /** The cursor of a message's shard; undefined: it is not wanted. A shard met for the first time is read from its beginning. */
  cursorOf(id: StreamId): ShardCursor | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined || this.#byId.has(id)) return known;
    const cursor = this.#look(id);
    this.#byId.set(id, cursor);
    return cursor;
  }

  #look({ key, shard, isInternal }: StreamId): ShardCursor | undefined {
    const found: Shard = { streamKey: key, shardId: shard };
    const name = nameOf(found);
    const cursor = this.#cursors.get(name);
    if (cursor !== undefined || isInternal || this.#left.has(name) || !this.#covers(key)) return cursor;
    const added = new ShardCursor(found, undefined, 0n);
    this.#cursors.set(name, added);
    this.#onAssigned([{ ...found, origin: "earliest" }]);
    return added;
  }
}

function nameOf({ streamKey, shardId }: Shard): string {
  return `${streamKey}/${shardId}`;
}
