/** The sending half of a driver, whose answers the test gives. */
import type { DriverProducer, OutgoingMessage, SendOutcome } from "../src/driver/driver-producer.ts";
import { decodeUtf8 } from "../src/message/utf8.ts";

/** One batch that core sent, to be answered. */
export class ScriptedBatch {
  readonly messages: readonly OutgoingMessage[];
  readonly signal: AbortSignal;
  readonly #answer: PromiseWithResolvers<readonly SendOutcome[]>;
  readonly #store: (message: OutgoingMessage) => SendOutcome;

  constructor(
    messages: readonly OutgoingMessage[],
    signal: AbortSignal,
    answer: PromiseWithResolvers<readonly SendOutcome[]>,
    store: (message: OutgoingMessage) => SendOutcome,
  ) {
    this.messages = messages;
    this.signal = signal;
    this.#answer = answer;
    this.#store = store;
  }

  /** The payloads as text. */
  get texts(): string[] {
    return this.messages.map((message) => decodeUtf8(message.payload) ?? "?");
  }

  /** Stores all of it. */
  store(): void {
    this.#answer.resolve(this.messages.map(this.#store));
  }

  /** Stores what no outcome is given for. */
  settle(...outcomes: (SendOutcome | "stored")[]): void {
    this.#answer.resolve(
      this.messages.map((message, i) => {
        const outcome = outcomes[i] ?? "stored";
        return outcome === "stored" ? this.#store(message) : outcome;
      }),
    );
  }

  /** The same outcome for each message. */
  settleAll(outcome: SendOutcome): void {
    this.#answer.resolve(this.messages.map(() => outcome));
  }

  reject(error: unknown): void {
    this.#answer.reject(error);
  }
}

export class ScriptedProducer implements DriverProducer {
  readonly limits: DriverProducer["limits"];
  readonly resendIsSafe: boolean;
  /** Every batch, in the order in which core sent them. */
  readonly batches: ScriptedBatch[] = [];
  /** Texts of what was stored, by `stream/shard`. */
  readonly stored = new Map<string, string[]>();
  closed = 0;
  #sequence = 0n;

  constructor(limits: Partial<DriverProducer["limits"]> = {}, resendIsSafe = false) {
    this.limits = { batchMessages: 2, batchBytes: 1_000_000, batchesInFlight: 3, ...limits };
    this.resendIsSafe = resendIsSafe;
  }

  send(batch: readonly OutgoingMessage[], call: { readonly signal: AbortSignal }): Promise<readonly SendOutcome[]> {
    const answer = Promise.withResolvers<readonly SendOutcome[]>();
    this.batches.push(new ScriptedBatch(batch, call.signal, answer, this.#store));
    return answer.promise;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  /** The batch at this place; negative: from the end. */
  at(index: number): ScriptedBatch {
    const batch = this.batches.at(index);
    if (batch === undefined) throw new Error(`there are ${this.batches.length} batches`);
    return batch;
  }

  get texts(): string[][] {
    return this.batches.map((batch) => batch.texts);
  }

  readonly #store = (message: OutgoingMessage): SendOutcome => {
    const lane = `${message.streamKey}/${message.shardId}`;
    const log = this.stored.get(lane) ?? [];
    this.stored.set(lane, log);
    log.push(decodeUtf8(message.payload) ?? "?");
    this.#sequence += 1n;
    return { stored: true, sequence: this.#sequence };
  };
}
