/** A message on its way to the backend, from `send` to its outcome; it is itself what the driver is given. */
import type { OutgoingMessage } from "../driver/driver-producer.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { HeaderEntries } from "../message/header-entries.ts";
import type { FlushMark } from "./flush-mark.ts";
import type { Lane } from "./lane.ts";
import type { Receipt } from "./receipt.ts";

/** Who is told what became of a message: one object for many messages, so that none needs a closure of its own. */
export interface SendSink {
  stored(ticket: SendTicket, receipt: Receipt): void;
  failed(ticket: SendTicket, error: Error): void;
  /** False: nobody looks at receipts, so none is made. */
  readonly wantsReceipt: boolean;
}

/** What a sink needs to tell one message from another: an index, or a promise's two ends. */
export interface SendTicket {
  readonly index: number;
  readonly resolve: ((receipt: Receipt) => void) | undefined;
  readonly reject: ((error: Error) => void) | undefined;
}

/** What a waiting message takes beside its bytes, with its promise: the byte marks are about memory, also of very many empty ones. */
export const HELD_BYTES = 512;

export class PendingSend implements OutgoingMessage, SendTicket {
  readonly lane: Lane;
  readonly payload: Uint8Array;
  readonly sink: SendSink;
  /** Of payload, key and headers. */
  readonly bytes: number;
  /** Monotonic. */
  readonly sentAtMs: number;
  readonly mark: FlushMark;
  /** What few messages have: one field for all of it keeps the many small. */
  readonly #extras: SendExtras | undefined;
  /** Its place among the messages of its lane. */
  order = 0;
  readonly index: number;
  readonly resolve: ((receipt: Receipt) => void) | undefined;
  readonly reject: ((error: Error) => void) | undefined;
  /** Why the last try failed. */
  lastError: StreamError | undefined = undefined;

  constructor(
    lane: Lane,
    payload: Uint8Array,
    extras: SendExtras | undefined,
    sentAtMs: number,
    mark: FlushMark,
    sink: SendSink,
    index: number,
    resolve: ((receipt: Receipt) => void) | undefined,
    reject: ((error: Error) => void) | undefined,
  ) {
    this.lane = lane;
    this.index = index;
    this.resolve = resolve;
    this.reject = reject;
    this.payload = payload;
    this.sink = sink;
    this.sentAtMs = sentAtMs;
    this.mark = mark;
    this.#extras = extras;
    this.bytes = payload.length + (extras === undefined ? 0 : extras.bytes);
  }

  get key(): Uint8Array | undefined {
    return this.#extras?.key;
  }
  get headers(): HeaderEntries | undefined {
    return this.#extras?.headers;
  }
  get timestampMs(): number | undefined {
    return this.#extras?.timestampMs;
  }
  get messageId(): string | undefined {
    return this.#extras?.messageId;
  }
  get options(): Readonly<Record<string, unknown>> | undefined {
    return this.#extras?.options;
  }
  get streamKey(): string {
    return this.lane.streamKey;
  }
  get shardId(): number {
    return this.lane.shardId;
  }
}

/** What a message has beside its payload; most have nothing. */
export interface SendExtras {
  readonly key: Uint8Array | undefined;
  readonly headers: HeaderEntries | undefined;
  readonly timestampMs: number | undefined;
  readonly messageId: string | undefined;
  readonly options: Readonly<Record<string, unknown>> | undefined;
  /** Of key and headers. */
  readonly bytes: number;
}
