/** The diagnostics channels: what tracing tools subscribe to. They cost one property read a message when nobody listens. */
import { type Channel, channel, type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import type { Message } from "../message/message.ts";
import type { OutgoingEntry } from "../produce/producer-options.ts";

/** `seaway:connect` — start and end of `connect`. `url` has no credentials. */
export interface ConnectTrace {
  readonly url: string;
}

/**
 * `seaway:send` — one send, from the call to its receipt (`result`) or error. A listener to `start` may set headers on `message`,
 * which is how trace context travels.
 */
export interface SendTrace {
  readonly backend: string;
  readonly message: { -readonly [K in keyof OutgoingEntry<unknown>]: OutgoingEntry<unknown>[K] } & { readonly streamKey: string };
}

/** `seaway:receive` — one message handed over to the program. */
export interface ReceiveTrace {
  readonly backend: string;
  readonly message: Message<unknown>;
}

export const connectChannel: TracingChannel<ConnectTrace, ConnectTrace> = tracingChannel<ConnectTrace, ConnectTrace>("seaway:connect");
export const sendChannel: TracingChannel<SendTrace, SendTrace> = tracingChannel<SendTrace, SendTrace>("seaway:send");
export const receiveChannel: Channel = channel("seaway:receive");
/** `seaway:error` — every event of level `error`, beside `onEvent`. */
export const errorChannel: Channel = channel("seaway:error");
