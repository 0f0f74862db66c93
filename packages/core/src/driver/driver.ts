/** The seam between core and a backend: the five interfaces that a driver implements begin here. */
import type { ErrorCode } from "../error/error-code.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock } from "../time/clock.ts";
import type { StreamerUri } from "../url/streamer-uri.ts";
import type { Capabilities } from "./capabilities.ts";
import type { DriverAdmin } from "./driver-admin.ts";
import type { ConsumerRequest, DriverConsumer } from "./driver-consumer.ts";
import type { DriverProducer, ProducerRequest } from "./driver-producer.ts";

/** With every call: the caller's signal and core's deadline in one. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

/** What an option may be: `"texts"` is a list (commas in a URL), `"object"` can be given in code only, a list names the allowed words. */
export type OptionKind = "boolean" | "number" | "text" | "texts" | "object" | readonly string[];

/** The places where options are given. */
export type OptionScope = "connect" | "producer" | "send" | "consumer" | "stream";

/** The options of a driver's namespace, by place; core checks code and URL against it. */
export type OptionTable = Readonly<Record<OptionScope, Readonly<Record<string, OptionKind>>>>;

/** What kind of failure an error of the backend's client is. */
export interface FailureClass {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** What to do about it, where the driver knows better than the code. */
  readonly advice?: string;
}

export interface Driver {
  /** Also the name of its options' namespace. */
  readonly name: string;
  /** Without the colon. */
  readonly schemes: readonly string[];
  readonly options: OptionTable;
  /**
   * Splits a URL's path (from its first slash, undecoded) into what is opened and the stream keys. Left out: what follows the last
   * slash is the key list. `authority` is what stands before the path, without credentials.
   */
  splitPath?(path: string, authority: string): { readonly root: string; readonly keys: readonly string[] };
  /** What the backend can do at best. Pure. */
  describe(uri: StreamerUri): Capabilities;
  /** Rejects within the signal's time; core reports `connect-failed` unless `classifyError` knows better. */
  open(uri: StreamerUri, context: OpenContext, call: CallOptions): Promise<DriverConnection>;
  /** Total: it never throws, and answers for any value. A {@link StreamError} is never given to it. */
  classifyError(error: unknown): FailureClass;
}

export interface OpenContext {
  /** The driver's namespace, checked against its option table. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly clientName: string;
  readonly clock: Clock;
  /** From 0 up to 1, as `Math.random`. */
  random(): number;
  onEvent(event: StreamerEvent): void;
}

export interface DriverConnection {
  /** The client underneath, for those who need it. */
  readonly native: unknown;
  /** May only narrow {@link Driver.describe}. */
  readonly capabilities: Capabilities;
  /** For producers and admin: finds a stream or makes it. A driver that makes one, here or for a consumer, publishes `streamCreated`. */
  ensureStream(streamKey: string, request: StreamRequest, call: CallOptions): Promise<StreamShape>;
  openProducer(request: ProducerRequest, call: CallOptions): Promise<DriverProducer>;
  /** Starts, and ends where asked for, are fixed when it resolves: what is stored after that is never missed. */
  openConsumer(request: ConsumerRequest, call: CallOptions): Promise<DriverConsumer>;
  readonly admin: DriverAdmin;
  ping(call: CallOptions): Promise<void>;
  /** Producers and consumers are closed before. */
  close(call: CallOptions): Promise<void>;
}

export interface StreamRequest {
  /** False: a missing stream is `stream-not-found`. */
  readonly create: boolean;
  /** For a stream that is made; an existing one's own count rules, and core compares. */
  readonly shards?: number | undefined;
  readonly retention?: Retention | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a stream keeps; whatever is exceeded first removes from its beginning. */
export interface Retention {
  readonly maxMessages?: number;
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
}

export interface StreamShape {
  readonly shards: number;
  readonly maxMessageBytes?: number | undefined;
}
