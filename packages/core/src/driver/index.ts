/** `@seaway/core/driver`: what a driver implements, and what it may build on. */
export { AutoCommit, AutoStreamReset, ConsumerMode } from "../consume/consumer-mode.ts";
export { ERROR_CODES, type ErrorCode } from "../error/error-code.ts";
export { isStreamError, StreamError, type StreamErrorDetails } from "../error/stream-error.ts";
export {
  BASE64_MARKER,
  type BytesJson,
  bytesFromJson,
  bytesToJson,
  decodeHeaderValue,
  encodeHeaderValue,
  type HeadersJson,
  headersFromJson,
  headersToJson,
  isOneTrimmedLine,
  oneLine,
} from "../message/header-encoding.ts";
export type { HeaderEntries, HeaderValue } from "../message/header-entries.ts";
export {
  DeadLetterHeader,
  KEY_HEADER,
  MESSAGE_ID_HEADER,
  OriginHeader,
  RESERVED_HEADER_PREFIX,
  TIMESTAMP_HEADER,
} from "../message/header-names.ts";
export { headerValueOf } from "../message/headers.ts";
export { decodeUtf8, encodeUtf8 } from "../message/utf8.ts";
export type { StreamerEvent } from "../observe/event.ts";
export { murmur2 } from "../produce/murmur2.ts";
export { type Backoff, backoffDelayMs } from "../time/backoff.ts";
export { type Clock, systemClock, type Timer } from "../time/clock.ts";
export { nextTurn } from "../time/next-turn.ts";
export { escapeName, MAX_NAME_LENGTH, type NameRules } from "../url/group-name.ts";
export { percentDecode } from "../url/percent-decode.ts";
export {
  BROADCAST_STREAM_KEY,
  INTERNAL_STREAM_KEY,
  isStreamKey,
  WILDCARD_STREAM_KEY,
} from "../url/stream-key.ts";
export { compilePattern, type StreamKeyMatcher } from "../url/stream-pattern.ts";
export type { StreamerNode } from "../url/streamer-node.ts";
export { StreamerUri } from "../url/streamer-uri.ts";
export type { AdminCall, Capabilities } from "./capabilities.ts";
export type {
  CallOptions,
  Driver,
  DriverConnection,
  FailureClass,
  OpenContext,
  OptionKind,
  OptionScope,
  OptionTable,
  Retention,
  StreamRequest,
  StreamShape,
} from "./driver.ts";
export type { DriverAdmin, GroupInfo, StreamInfo } from "./driver-admin.ts";
export type {
  ConsumerRequest,
  DriverConsumer,
  IncomingMessage,
  Received,
  ReceiveLimit,
  Settlement,
  SettleOutcome,
} from "./driver-consumer.ts";
export type { DriverProducer, OutgoingMessage, ProducerRequest, SendOutcome } from "./driver-producer.ts";
export { processMap } from "./process-map.ts";
export type { Position, Shard, ShardPosition, ShardStart } from "./shard.ts";
export { streamCreated } from "./stream-created.ts";
