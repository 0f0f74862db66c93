/** From a consumer to a producer: each input is done only when its outputs are stored. */
import { checkFlatOptions } from "../connect/check-options.ts";
import { RELAY_OPTIONS } from "../connect/option-tables.ts";
import { isStreamError } from "../error/stream-error.ts";
import { OriginHeader } from "../message/header-names.ts";
import type { Message } from "../message/message.ts";
import { assertEntry } from "../produce/bulk.ts";
import type { Producer } from "../produce/producer.ts";
import { type OutgoingEntry, OWN_HEADERS } from "../produce/producer-options.ts";
import type { Consumer, WorkSource } from "./consumer.ts";

/** What a transformation may give: one message, several, or none. */
export type RelayOutput<Out> = OutgoingEntry<Out> | readonly OutgoingEntry<Out>[] | undefined;

export type Transform<In, Out> = (message: Message<In>) => RelayOutput<Out> | Promise<RelayOutput<Out>>;

export interface RelayOptions<In, Out> {
  /**
   * What to send for a message; a promise holds up the messages behind it. What it gives is all that is sent: it copies the key and
   * the headers that are to be kept. Default: the message as it is: payload, key, headers, time and message id.
   */
  readonly transform?: Transform<In, Out> | undefined;
  /** Send where each message came from, in `seaway-origin-*` headers. Default: false. */
  readonly originHeaders?: boolean | undefined;
  /** Ends the relay: nothing more is read, what was read is stored and acked, then it resolves. */
  readonly signal?: AbortSignal | undefined;
}

export interface RelayResult {
  /** Messages read, whose outputs are all stored. */
  readonly received: number;
  /** Messages stored. */
  readonly sent: number;
}

/** How many inputs may wait for their receipts. */
const MAX_OPEN = 10_000;

/** Relays payloads as they are: the producer takes bytes. */
export function relay<In>(
  consumer: Consumer<In>,
  producer: Producer<string | Uint8Array>,
  options?: RelayOptions<In, string | Uint8Array>,
): Promise<RelayResult>;
/**
 * Sends what a consumer receives to a producer's anchor (without one, to the stream of the same name), in order and pipelined. Each input
 * is acked only after all its outputs have their receipts. Resolves at the consumer's end or close, or when `signal` aborts, once all is
 * settled. Rejects with the first failure, after what is in flight has settled; what was not stored is not acked.
 */
export function relay<In, Out>(
  consumer: Consumer<In>,
  producer: Producer<Out>,
  options: RelayOptions<In, Out> & { readonly transform: Transform<In, Out> },
): Promise<RelayResult>;
export async function relay<In, Out>(
  consumer: Consumer<In>,
  producer: Producer<Out>,
  options: RelayOptions<In, Out> = {},
): Promise<RelayResult> {
  checkFlatOptions(options, RELAY_OPTIONS, "relay");
  const { transform, originHeaders = false } = options;
  const failed = new AbortController();
  const source = consumer.claimForWork("relay");
  const { book } = source.session;
  const isHeld = (message: Message<unknown>): boolean => book.isHeld(message);
  const pump = new RelayPump<In, Out>(producer, originHeaders, isHeld, () => failed.abort());
  const signal = AbortSignal.any([...(options.signal === undefined ? [] : [options.signal]), failed.signal, source.ending]);
  try {
    while (!signal.aborted) {
      const message = await nextOrEnd(source, signal);
      if (message === undefined) break;
      let entries: readonly OutgoingEntry<Out>[];
      try {
        entries = entriesOf(transform === undefined ? asItIs<In, Out>(message) : await transform(message));
      } catch (error) {
        pump.giveBack(message);
        throw error;
      }
      pump.send(message, entries);
      if (producer.needsDrain) await producer.ready();
      if (pump.open >= MAX_OPEN) await pump.below(MAX_OPEN / 2);
    }
  } finally {
    await pump.below(1);
    source.release();
  }
  if (pump.failure !== undefined) throw pump.failure;
  return { received: pump.received, sent: pump.sent };
}

async function nextOrEnd<In>({ handover }: WorkSource<In>, signal: AbortSignal): Promise<Message<In> | undefined> {
  try {
    return handover.tryNext("program") ?? (await handover.next("program", signal));
  } catch (error) {
    if (isStreamError(error, "stream-ended") || isStreamError(error, "closed")) return undefined;
    if (isStreamError(error, "aborted") && signal.aborted) return undefined;
    throw error;
  }
}

/** Checked before anything is counted: a mistake of the transformation ends the relay, and hangs nothing. */
function entriesOf<Out>(output: RelayOutput<Out> | null): readonly OutgoingEntry<Out>[] {
  if (output === undefined || output === null) return [];
  const entries: readonly OutgoingEntry<Out>[] = Array.isArray(output) ? output : [output];
  for (const entry of entries) assertEntry(entry);
  return entries;
}

/** Only for producers of bytes: the first signature says so. */
function asItIs<In, Out>(message: Message<In>): OutgoingEntry<Out> {
  const { headers, messageId, timestampMs } = message;
  return {
    value: message.payload as Out,
    key: message.keyBytes,
    headers: headers.size === 0 ? undefined : headers,
    timestampMs,
    messageId,
  };
}

/** Keeps count of inputs whose outputs are on their way. */
class RelayPump<In, Out> {
  readonly #producer: Producer<Out>;
  readonly #originHeaders: boolean;
  readonly #isHeld: (message: Message<unknown>) => boolean;
  readonly #onFailure: () => void;
  received = 0;
  sent = 0;
  /** Inputs that are not settled. */
  open = 0;
  /** What failed first. */
  failure: unknown;
  #waiter: { readonly below: number; readonly resolve: () => void } | undefined;

  constructor(producer: Producer<Out>, originHeaders: boolean, isHeld: (message: Message<unknown>) => boolean, onFailure: () => void) {
    this.#isHeld = isHeld;
    this.#onFailure = onFailure;
    this.#producer = producer;
    this.#originHeaders = originHeaders;
  }

  send(message: Message<In>, outputs: readonly OutgoingEntry<Out>[]): void {
    this.open += 1;
    const sends = outputs.map((entry) => this.#sendOne(message, entry));
    Promise.all(sends).then(
      () => this.#done(message, sends.length),
      (error: unknown) => this.#failed(message, error),
    );
  }

  /** It comes again: to this consumer's next reader, should the program go on. */
  giveBack(message: Message<In>): void {
    if (this.#isHeld(message)) message.nak();
  }

  /** Resolves when fewer inputs than that are open. */
  below(count: number): Promise<void> {
    if (this.open < count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiter = { below: count, resolve };
    });
  }

  #sendOne(message: Message<In>, entry: OutgoingEntry<Out>): Promise<unknown> {
    const streamKey = entry.streamKey ?? (this.#producer.streamKey === undefined ? message.streamKey : undefined);
    const { value, streamKey: _, ...options } = entry;
    const withOrigin = this.#originHeaders ? { ...options, [OWN_HEADERS]: originOf(message) } : options;
    return streamKey === undefined ? this.#producer.send(value, withOrigin) : this.#producer.sendTo(streamKey, value, withOrigin);
  }

  #done(message: Message<In>, sent: number): void {
    // A transformation may have settled it.
    if (this.#isHeld(message)) message.ack();
    this.received += 1;
    this.sent += sent;
    this.#settled();
  }

  #failed(message: Message<In>, error: unknown): void {
    this.giveBack(message);
    this.failure ??= error;
    this.#onFailure();
    this.#settled();
  }

  #settled(): void {
    this.open -= 1;
    const waiter = this.#waiter;
    if (waiter === undefined || this.open >= waiter.below) return;
    this.#waiter = undefined;
    waiter.resolve();
  }
}

function originOf(message: Message<unknown>): readonly (readonly [string, string])[] {
  return [
    [OriginHeader.Stream, message.streamKey],
    [OriginHeader.Shard, String(message.shardId)],
    [OriginHeader.Sequence, String(message.sequence)],
    [OriginHeader.Timestamp, String(message.timestampMs)],
  ];
}
