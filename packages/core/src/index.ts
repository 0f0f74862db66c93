/** `@seaway/core`: everything a program needs but a driver. */
export { Admin, type CreateStreamOptions, type StreamNamespaces } from "./connect/admin.ts";
export { connect } from "./connect/connect.ts";
export type { ConnectNamespaces, ConnectOptions } from "./connect/connect-options.ts";
export { shutdownOn } from "./connect/shutdown-on.ts";
export { Streamer } from "./connect/streamer.ts";
export { Consumer } from "./consume/consumer.ts";
export { AutoCommit, AutoStreamReset, ConsumerMode } from "./consume/consumer-mode.ts";
export type {
  Abortable,
  ConsumerNamespaces,
  ConsumerOptions,
  FetchOptions,
  RewindTarget,
  ShardLag,
  StreamSelection,
} from "./consume/consumer-options.ts";
export type { MessageStream } from "./consume/iterate.ts";
export { type RelayOptions, type RelayOutput, type RelayResult, relay, type Transform } from "./consume/relay.ts";
export {
  type BatchHandler,
  type DeadLetter,
  type Handler,
  type HandlerContext,
  NonRetryableError,
  type RetryOptions,
  type RunMiddleware,
  type RunOptions,
} from "./consume/run-options.ts";
export type { AdminCall, Capabilities } from "./driver/capabilities.ts";
export type { Driver, Retention } from "./driver/driver.ts";
export type { GroupInfo, StreamInfo } from "./driver/driver-admin.ts";
export type { Position, ShardStart } from "./driver/shard.ts";
export { ERROR_CODES, type ErrorCode } from "./error/error-code.ts";
export { isStreamError, StreamError, type StreamErrorDetails } from "./error/stream-error.ts";
export { bytes, type Codec, type DecodeContext, type Decoder, type Encoder, json, text, textOrBytes } from "./message/codec.ts";
export type { HeaderEntries, HeaderValue } from "./message/header-entries.ts";
export { CONTENT_TYPE_HEADER, DeadLetterHeader, OriginHeader, TRACEPARENT_HEADER, TRACESTATE_HEADER } from "./message/header-names.ts";
export { Headers, type HeadersInput } from "./message/headers.ts";
export { Message } from "./message/message.ts";
export type { StandardSchema } from "./message/standard-schema.ts";
export type { ConnectTrace, ProcessTrace, ReceiveTrace, SendTrace, SettleTrace } from "./observe/channels.ts";
export type { StreamerEvent } from "./observe/event.ts";
export type { BulkOptions, PipeResult } from "./produce/bulk.ts";
export { Producer } from "./produce/producer.ts";
export {
  Ordering,
  type OutgoingEntry,
  type ProducerMiddleware,
  type ProducerNamespaces,
  type ProducerOptions,
  type SendNamespaces,
  type SendOptions,
} from "./produce/producer-options.ts";
export type { Receipt } from "./produce/receipt.ts";
export { type ShardedMessage, type Sharder, shardOfKey } from "./produce/sharder.ts";
export { type Clock, systemClock, type Timer } from "./time/clock.ts";
export { parseStreamUrl } from "./url/parse-url.ts";
export { isStreamKey, RESERVED_STREAM_KEYS } from "./url/stream-key.ts";
export type { StreamerNode } from "./url/streamer-node.ts";
export { StreamerUri, type StreamerUriParts, StreamUrl } from "./url/streamer-uri.ts";
