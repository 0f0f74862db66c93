/** The receiving half of a driver, which gives what the test tells it to, and a consumer above it. */
import { connect } from "../src/connect/connect.ts";
import type { Consumer } from "../src/consume/consumer.ts";
import type { ConsumerOptions } from "../src/consume/consumer-options.ts";
import type {
  ConsumerRequest,
  DriverConsumer,
  IncomingMessage,
  Received,
  ReceiveLimit,
  Settlement,
  SettleOutcome,
} from "../src/driver/driver-consumer.ts";
import type { Shard, ShardPosition, ShardStart } from "../src/driver/shard.ts";
import { encodeUtf8 } from "../src/message/utf8.ts";
import type { StreamerEvent } from "../src/observe/event.ts";
import { fakeDriver } from "./fake-driver.ts";
import { ManualClock } from "./manual-clock.ts";

export interface IncomingParts {
  readonly sequence?: number;
  readonly streamKey?: string;
  readonly shardId?: number;
  readonly malformed?: unknown;
  readonly key?: string;
  readonly messageId?: string;
  readonly headers?: IncomingMessage["headers"];
  readonly deliveryCount?: number;
  /** Default: a number of its own. */
  readonly token?: unknown;
}

let made = 0;

/** A delivery with this text for its payload. */
export function incoming(text: string, parts: IncomingParts = {}): IncomingMessage {
  made += 1;
  const payload = encodeUtf8(text);
  const sequence = BigInt(parts.sequence ?? made);
  return {
    streamKey: parts.streamKey ?? "s",
    shardId: parts.shardId ?? 0,
    token: parts.token ?? made,
    ...(parts.deliveryCount === undefined ? {} : { deliveryCount: parts.deliveryCount }),
    id: String(sequence),
    sequence,
    timestampMs: 1000,
    payload,
    size: payload.length,
    key: parts.key === undefined ? undefined : encodeUtf8(parts.key),
    headers: parts.headers,
    messageId: parts.messageId,
    malformed: parts.malformed,
    native: undefined,
  };
}

export class ScriptedConsumer implements DriverConsumer {
  readonly start: readonly ShardStart[];
  /** To be set before it is opened. */
  acks: DriverConsumer["acks"] = "none";
  leaseMs: number | undefined;
  readonly flow: "pull" | "push" = "pull";
  /** Every call of `receive`. */
  readonly limits: ReceiveLimit[] = [];
  readonly settled: Settlement[] = [];
  /** How many calls of `settle` there were. */
  rounds = 0;
  /** What settling comes to; may throw, or wait. Default: done. */
  onSettle: (settlement: Settlement) => SettleOutcome | Promise<SettleOutcome> = () => "done";
  readonly sought: (readonly ShardPosition[])[] = [];
  /** What the next seek waits for. */
  seekGate: Promise<void> = Promise.resolve();
  request: ConsumerRequest | undefined;
  epoch = 0;
  closed = 0;
  #answers: (Partial<Received> | { readonly failure: unknown })[] = [];
  #waiting: PromiseWithResolvers<Received> | undefined;

  constructor(shards: readonly Shard[] = [{ streamKey: "s", shardId: 0 }]) {
    this.start = shards.map((shard) => ({ ...shard, origin: "earliest" }));
  }

  /** What it was told of deliveries, in order: `ack 3`, by their tokens' numbers. */
  told(kind?: Settlement["kind"]): string[] {
    return this.settled.filter((one) => kind === undefined || one.kind === kind).map((one) => `${one.kind} ${String(one.token)}`);
  }

  /** Whether core waits for messages now. */
  get asked(): boolean {
    return this.#waiting !== undefined;
  }

  /** Answers the `receive` that waits, or the next one. */
  give(...messages: (IncomingMessage | string)[]): void {
    this.answer({ messages: messages.map((one) => (typeof one === "string" ? incoming(one) : one)) });
  }

  fail(failure: unknown): void {
    this.#push({ failure });
  }

  answer(received: Partial<Received>): void {
    this.#push(received);
  }

  receive(limit: ReceiveLimit): Promise<Received> {
    if (this.#waiting !== undefined) throw new Error("receive is called by one caller at a time");
    this.limits.push(limit);
    const waiting = Promise.withResolvers<Received>();
    this.#waiting = waiting;
    if (limit.signal.aborted || limit.maxWaitMs === 0) this.#settle(this.#answers.shift() ?? {});
    else limit.signal.addEventListener("abort", () => this.#waiting === waiting && this.#settle({}), { once: true });
    const next = this.#waiting === waiting ? this.#answers.shift() : undefined;
    if (next !== undefined) this.#settle(next);
    return waiting.promise;
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    this.rounds += 1;
    this.settled.push(...settlements);
    return Promise.all(settlements.map((settlement) => this.onSettle(settlement)));
  }

  async seek(targets: readonly ShardPosition[]): Promise<{ readonly epoch: number }> {
    this.sought.push(targets);
    await this.seekGate;
    this.epoch += 1;
    return { epoch: this.epoch };
  }

  async lag(): Promise<readonly (Shard & { readonly messages: number | undefined })[]> {
    return this.start.map(({ streamKey, shardId }) => ({ streamKey, shardId, messages: 7 }));
  }

  async stop(): Promise<void> {
    this.#settle({});
  }

  async close(): Promise<void> {
    this.closed += 1;
    this.#settle({});
  }

  #push(answer: Partial<Received> | { readonly failure: unknown }): void {
    if (this.#waiting === undefined) this.#answers.push(answer);
    else this.#settle(answer);
  }

  #settle(answer: Partial<Received> | { readonly failure: unknown }): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if ("failure" in answer) waiting?.reject(answer.failure);
    else waiting?.resolve({ messages: [], epoch: this.epoch, ...answer });
  }
}

export interface ConsumerRig<T> {
  readonly consumer: Consumer<T>;
  readonly driver: ScriptedConsumer;
  readonly clock: ManualClock;
  readonly events: StreamerEvent[];
}

/** A consumer over a scripted driver, on a manual clock. */
export async function consumerOn<T = Uint8Array>(
  options: ConsumerOptions<T> = {},
  driver: ScriptedConsumer = new ScriptedConsumer(),
): Promise<ConsumerRig<T>> {
  const clock = new ManualClock();
  const events: StreamerEvent[] = [];
  const openConsumer = async (request: ConsumerRequest): Promise<ScriptedConsumer> => {
    driver.request = request;
    return driver;
  };
  const drivers = [fakeDriver({ connection: { openConsumer } })];
  const streamer = await connect("fake://consume", { drivers, clock, random: () => 0.5, onEvent: (event) => events.push(event) });
  const keys = [...new Set(driver.start.map((shard) => shard.streamKey))];
  return { consumer: await streamer.createConsumer<T>(keys, options), driver, clock, events };
}
