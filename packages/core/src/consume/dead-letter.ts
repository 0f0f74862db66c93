/** Puts a message that could not be handled where somebody will find it, with all that is known of it; only then is it acked. */
import { oneLine } from "../message/header-encoding.ts";
import type { HeaderEntries } from "../message/header-entries.ts";
import { DeadLetterHeader } from "../message/header-names.ts";
import type { Message } from "../message/message.ts";
import type { Producer } from "../produce/producer.ts";
import { OWN_HEADERS, type SendOptions } from "../produce/producer-options.ts";
import type { DeadLetter } from "./run-options.ts";

/** What is appended to a stream's key when `deadLetter` is true. */
const SUFFIX = ".dlq";

/** Why a message became a dead letter. */
export type DeadLetterReason = "max-deliveries" | "non-retryable" | "terminated" | "decode-failed" | "poison";

export class DeadLetterer {
  readonly #target: DeadLetter;
  readonly #group: string | undefined;
  readonly #createProducer: () => Promise<Producer>;
  #producer: Promise<Producer> | undefined;

  constructor(target: DeadLetter, group: string | undefined, createProducer: () => Promise<Producer>) {
    this.#target = target;
    this.#group = group;
    this.#createProducer = createProducer;
  }

  /** Resolves when it is stored (or, with `discard`, at once). */
  async put(message: Message<unknown>, reason: DeadLetterReason, error: unknown): Promise<void> {
    const target = this.#target;
    if (typeof target === "object" && "discard" in target) return;
    const streamKey = target === true ? `${message.streamKey}${SUFFIX}` : typeof target === "string" ? target : target.stream;
    const producer = await this.#producerOf(target);
    const place = `${message.streamKey}:${message.shardId}:${message.sequence}`;
    const origin = message.messageId ?? place;
    const options: SendOptions = {
      key: message.keyBytes,
      headers: message.headers.size === 0 ? undefined : message.headers,
      // A new id: the origin's was seen, and would have it taken for a repetition.
      messageId: `${origin}:dlq`,
      [OWN_HEADERS]: this.#headers(message, reason, error),
    };
    const receipt = await producer.sendTo(streamKey, message.payload, options);
    // The program's ids may repeat, here or in another stream: only the place says that it was this very message.
    if (receipt.duplicate && origin !== place) {
      await producer.sendTo(streamKey, message.payload, { ...options, messageId: `${place}:dlq` });
    }
  }

  async close(): Promise<void> {
    if (this.#producer !== undefined) await (await this.#producer).close();
  }

  #producerOf(target: DeadLetter): Promise<Producer> {
    if (typeof target === "object" && "producer" in target) return Promise.resolve(target.producer);
    this.#producer ??= this.#createProducer();
    // A failure is not kept: the next dead letter tries again.
    this.#producer.catch(() => {
      this.#producer = undefined;
    });
    return this.#producer;
  }

  #headers(message: Message<unknown>, reason: DeadLetterReason, error: unknown): HeaderEntries {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const entries: [string, string][] = [
      [DeadLetterHeader.Reason, reason],
      [DeadLetterHeader.Error, oneLine(text)],
      [DeadLetterHeader.Stream, message.streamKey],
      [DeadLetterHeader.Shard, String(message.shardId)],
      [DeadLetterHeader.Sequence, String(message.sequence)],
      [DeadLetterHeader.Timestamp, String(message.timestampMs)],
      [DeadLetterHeader.Deliveries, String(message.deliveryCount)],
    ];
    if (this.#group !== undefined) entries.push([DeadLetterHeader.Group, this.#group]);
    if (message.messageId !== undefined) entries.push([DeadLetterHeader.MessageId, message.messageId]);
    return entries;
  }
}
