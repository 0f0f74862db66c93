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
/** `seaway:process` — one handler call of `run`, from its start to its end or error. With `batch`, one for the whole batch. */
export interface ProcessTrace {
  readonly backend: string;
  readonly messages: readonly Message<unknown>[];
}

/** `seaway:settle` — a message was acked, nak'ed or terminated, by the program or by the library for it; the broker is told later. */
export interface SettleTrace {
  readonly kind: "ack" | "nak" | "term";
  readonly message: Message<unknown>;
}

export const processChannel: TracingChannel<ProcessTrace, ProcessTrace> = tracingChannel<ProcessTrace, ProcessTrace>("seaway:process");
export const settleChannel: Channel = channel("seaway:settle");
/** `seaway:error` — every event of level `error`, beside `onEvent`. */
export const errorChannel: Channel = channel("seaway:error");
