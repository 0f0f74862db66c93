/** What a consumer of a file gives to core: the decoder's own objects, one per message, and entries for what could not be read. */
import { encodeUtf8, type HeaderEntries, type IncomingMessage } from "@seaway/core/driver";
import { DecodedMessage } from "./format/decoded-message.ts";
import type { SsProblem } from "./format/decoder-item.ts";

/** A message as the decoder made it; all of it is read from its bytes when asked for. */
export class FileMessage extends DecodedMessage implements IncomingMessage {
  #payload: Uint8Array | undefined;

  override get sequence(): bigint {
    return BigInt(super.sequence);
  }
  override get payload(): Uint8Array {
    this.#payload ??= super.payload;
    return this.#payload;
  }
  get shardId(): number {
    return this.shard;
  }
  get size(): number {
    return this.payloadBytes;
  }
  get key(): Uint8Array | undefined {
    const key = this.extras?.key;
    return typeof key === "string" ? encodeUtf8(key) : key;
  }
  get headers(): HeaderEntries | undefined {
    return this.extras?.headers;
  }
  get messageId(): string | undefined {
    return this.extras?.messageId;
  }
  /** The file offset at which the message begins. */
  get id(): string {
    return String(this.startOffset);
  }
  get token(): this {
    return this;
  }
  get native(): DecodedMessage {
    return this;
  }
}

const NO_BYTES = new Uint8Array(0);

/** A place of the file that holds no message that could be given out: damaged, or nothing that can be made out. */
export class UnreadableEntry implements IncomingMessage {
  readonly streamKey: string;
  readonly shardId: number;
  readonly sequence: bigint;
  readonly timestampMs: number;
  readonly payload: Uint8Array;
  readonly malformed: Error;
  readonly id: string;
  /** The decoder's own word on it. */
  readonly native: SsProblem;

  /** `streamKey` stands for the stream where the damaged bytes do not tell; `raw` is what could be read of them. */
  constructor(problem: SsProblem, streamKey: string, raw: Uint8Array | undefined) {
    const { message, startOffset, endOffset, reason } = problem;
    this.streamKey = message?.streamKey ?? streamKey;
    this.shardId = message?.shard ?? 0;
    this.sequence = BigInt(message?.sequence ?? 0);
    this.timestampMs = message?.timestampMs ?? 0;
    this.payload = message?.payload ?? raw ?? NO_BYTES;
    this.malformed = new Error(`${reason} (${endOffset - startOffset} bytes from offset ${startOffset})`);
    this.id = String(startOffset);
    this.native = problem;
  }

  get size(): number {
    return this.payload.length;
  }
  get token(): this {
    return this;
  }
}
