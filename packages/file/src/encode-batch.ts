/** From a batch of core's messages to bytes in an encoder, with what each will have become once they are written. */
import type { OutgoingMessage, SendOutcome } from "@seaway/core/driver";
import { fileFull } from "./errors.ts";
import { beaconCapacity } from "./format/beacon.ts";
import { toU64, type U64 } from "./format/big-endian.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "./format/decoder-options.ts";
import { SsFormatError } from "./format/format-error.ts";
import { encodeHeaderPayload, type MessageExtras } from "./format/header-frame.ts";
import { frameByteLength } from "./format/message-frame.ts";
import { SsEncoder } from "./format/ss-encoder.ts";
import { createStreamId, INTERNAL_KEY } from "./format/stream-id.ts";
import type { StreamState } from "./format/stream-state.ts";
import type { StreamCatalog } from "./stream-catalog.ts";

/** A message that is stored once its bytes are written. The sequence becomes a bigint only if somebody looks at the receipt. */
export class Stored {
  readonly stored = true;
  readonly place: U64;
  readonly timestampMs: number;
  constructor(place: U64, timestampMs: number) {
    this.place = place;
    this.timestampMs = timestampMs;
  }
  get sequence(): bigint {
    return BigInt(this.place);
  }
}

export interface BatchOptions {
  /** For messages without a time of their own, ms. */
  readonly nowMs: number;
  /** Bytes that the file may have at most; Infinity: no limit. */
  readonly sizeLimit: number;
  /** Keep room for an end-of-stream below the limit. */
  readonly endWithEos: boolean;
}

/** Appends what can be appended; the others have their error, and nothing of them is in the encoder. */
export function encodeBatch(
  path: string,
  encoder: SsEncoder,
  catalog: StreamCatalog,
  batch: readonly OutgoingMessage[],
  options: BatchOptions,
): SendOutcome[] {
  const { sizeLimit } = options;
  const nowMs = Math.floor(options.nowMs);
  const outcomes: SendOutcome[] = new Array(batch.length);
  for (let i = 0; i < batch.length; i++) {
    const message = batch[i] as OutgoingMessage;
    try {
      const { payload } = message;
      const stream = catalog.state(message.streamKey, message.shardId);
      const sequence = next(stream.sequence);
      const timestampMs = message.timestampMs === undefined ? nowMs : Math.floor(message.timestampMs);
      const extras = extrasOf(message);
      if (payload.length > DEFAULT_MAX_PAYLOAD_BYTES) {
        throw new SsFormatError("message-too-large", `a payload of ${payload.length} bytes; readers take ${DEFAULT_MAX_PAYLOAD_BYTES}`);
      }
      if (sizeLimit !== Number.POSITIVE_INFINITY && !fits(encoder, stream, sequence, timestampMs, payload, extras, options)) {
        throw fileFull(path, sizeLimit);
      }
      encoder.append(stream, sequence, timestampMs, payload, extras);
      outcomes[i] = new Stored(sequence, timestampMs);
    } catch (error) {
      outcomes[i] = { stored: false, error };
    }
  }
  return outcomes;
}

function next(sequence: U64): U64 {
  return typeof sequence === "number" && sequence < Number.MAX_SAFE_INTEGER ? sequence + 1 : toU64(BigInt(sequence) + 1n);
}

function extrasOf({ key, headers, messageId }: OutgoingMessage): MessageExtras | undefined {
  if (key === undefined && headers === undefined && messageId === undefined) return undefined;
  return {
    ...(key === undefined ? {} : { key }),
    ...(headers === undefined ? {} : { headers }),
    ...(messageId === undefined ? {} : { messageId }),
  };
}

/** Bytes of one beacon with as many markers as it can have, of the longest keys. */
function largestBeacon(interval: number): number {
  return 7 + beaconCapacity(interval) * 276;
}

const EOS_FRAME_BYTES = 56;

/** Whether the file stays within its limit with this message, its headers, the beacons that fall due, and an end-of-stream. */
function fits(
  encoder: SsEncoder,
  stream: StreamState,
  sequence: U64,
  timestampMs: number,
  payload: Uint8Array,
  extras: MessageExtras | undefined,
  { sizeLimit, endWithEos }: BatchOptions,
): boolean {
  let bytes = frameByteLength(stream.id, payload.length) + (endWithEos ? EOS_FRAME_BYTES : 0);
  if (extras !== undefined) {
    const headers = encodeHeaderPayload({ streamKey: stream.id.key, timestamp: timestampMs, checksum: 0xffff }, extras);
    bytes += frameByteLength(createStreamId(INTERNAL_KEY, stream.id.shard), headers.length);
  }
  const room = sizeLimit - encoder.offset;
  const beacon = largestBeacon(encoder.beaconInterval);
  if (room >= bytes + (Math.floor(bytes / (encoder.beaconInterval - beacon)) + 2) * beacon) return true;
  if (extras === undefined && room < bytes) return false;
  // Close to the limit the beacons' own sizes decide: it is tried on a copy.
  const trial = new SsEncoder(encoder.state());
  trial.append(trial.stream(stream.id.key, stream.id.shard), sequence, timestampMs, payload, extras);
  if (endWithEos) trial.appendEos(timestampMs);
  return trial.offset <= sizeLimit;
}
