/** An outbox between a scripted backend and a manual clock. */

import { Secrets } from "../src/error/secrets.ts";
import type { StreamError } from "../src/error/stream-error.ts";
import { ErrorWrapper } from "../src/error/wrap-error.ts";
import { encodeUtf8 } from "../src/message/utf8.ts";
import { Lane } from "../src/produce/lane.ts";
import { Outbox, type OutboxOptions } from "../src/produce/outbox.ts";
import { PendingSend, type SendExtras } from "../src/produce/pending-send.ts";
import type { Receipt } from "../src/produce/receipt.ts";
import { promiseSink } from "../src/produce/send-sinks.ts";
import { fakeDriver } from "./fake-driver.ts";
import { ManualClock, turns } from "./manual-clock.ts";
import { ScriptedProducer } from "./scripted-producer.ts";

/** What became of one send so far. */
export interface Sent {
  readonly text: string;
  /** How often it was settled. */
  settled: number;
  receipt: Receipt | undefined;
  error: StreamError | undefined;
}

export interface SendDetails {
  /** Default: 0. */
  readonly shard?: number;
  readonly messageId?: string;
}

export class OutboxRig {
  readonly clock: ManualClock = new ManualClock();
  readonly driver: ScriptedProducer;
  readonly outbox: Outbox;
  readonly sends: Sent[] = [];
  readonly #lanes = new Map<number, Lane>();

  constructor(options: Partial<OutboxOptions> = {}, driver: ScriptedProducer = new ScriptedProducer(), random: () => number = () => 0.5) {
    this.driver = driver;
    const defaults: OutboxOptions = {
      sendTimeoutMs: 120_000,
      highWaterBytes: 10_000,
      maxBufferedBytes: 100_000,
      maxBatchBytes: 1_000_000,
      ordering: "kept",
      dedupe: false,
    };
    this.outbox = new Outbox(driver, { ...defaults, ...options }, this.clock, random, new ErrorWrapper(fakeDriver(), new Secrets([])));
  }

  lane(shard: number): Lane {
    let lane = this.#lanes.get(shard);
    if (lane === undefined) {
      lane = new Lane("s", shard);
      this.#lanes.set(shard, lane);
    }
    return lane;
  }

  send(text: string, { shard = 0, messageId }: SendDetails = {}): Sent {
    const sent: Sent = { text, settled: 0, receipt: undefined, error: undefined };
    const extras: SendExtras | undefined =
      messageId === undefined
        ? undefined
        : { key: undefined, headers: undefined, timestampMs: undefined, messageId, options: undefined, bytes: 0 };
    const stored = (receipt: Receipt): void => {
      sent.settled += 1;
      sent.receipt = receipt;
    };
    const failed = (error: Error): void => {
      sent.settled += 1;
      sent.error = error as StreamError;
    };
    const { outbox } = this;
    outbox.put(new PendingSend(this.lane(shard), encodeUtf8(text), extras, outbox.nowMs, outbox.mark, promiseSink, 0, stored, failed));
    this.sends.push(sent);
    return sent;
  }

  /** Sends each, and lets them go out. */
  async sendAll(...texts: string[]): Promise<Sent[]> {
    const sends = texts.map((text) => this.send(text));
    await turns();
    return sends;
  }

  get stored(): string[] {
    return this.driver.stored.get("s/0") ?? [];
  }
}
