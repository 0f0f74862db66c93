/** One streamer's connection to a broker in memory. */
import type { Capabilities } from "../driver/capabilities.ts";
import type { CallOptions, DriverConnection, OpenContext, StreamRequest, StreamShape } from "../driver/driver.ts";
import type { ConsumerRequest, DriverConsumer } from "../driver/driver-consumer.ts";
import type { DriverProducer, OutgoingMessage, ProducerRequest } from "../driver/driver-producer.ts";
import { streamCreated } from "../driver/stream-created.ts";
import { nextTurn } from "../time/next-turn.ts";
import { compilePattern } from "../url/stream-pattern.ts";
import { MemoryAdmin } from "./admin.ts";
import { acquireBroker, type MemoryBroker, type MemoryStream, MissingStream, releaseBroker } from "./broker.ts";
import { MemoryConsumer } from "./consumer.ts";
import { GroupConsumer } from "./group-consumer.ts";
import type { MemoryConnectOptions } from "./options.ts";

const LIMITS = { batchMessages: 5000, batchBytes: 8 * 1024 * 1024, batchesInFlight: 1 };

export class MemoryConnection implements DriverConnection {
  readonly capabilities: Capabilities;
  readonly admin: MemoryAdmin;
  readonly #name: string;
  readonly #broker: MemoryBroker;
  readonly #context: OpenContext;

  constructor(name: string, capabilities: Capabilities, context: OpenContext) {
    this.capabilities = capabilities;
    this.#name = name;
    this.#broker = acquireBroker(name);
    this.#context = context;
    this.admin = new MemoryAdmin(this.#broker, context.clock);
  }

  get native(): MemoryBroker {
    return this.#broker;
  }

  async ensureStream(streamKey: string, request: StreamRequest): Promise<StreamShape> {
    return { shards: this.#ensure(streamKey, request.create, request).shards.length };
  }

  async openProducer(request: ProducerRequest): Promise<DriverProducer> {
    const { clock, options } = this.#context;
    const windowMs = (options as MemoryConnectOptions).dedupeWindowMs ?? 120_000;
    return {
      limits: LIMITS,
      // As a broker behind a socket would, so that a loop of sends never keeps timers and signals waiting.
      send: async (batch: readonly OutgoingMessage[]) => {
        const outcomes = this.#broker.store(batch, request.dedupe, windowMs, clock);
        await nextTurn();
        return outcomes;
      },
      close: async () => {},
    };
  }

  async openConsumer(request: ConsumerRequest): Promise<DriverConsumer> {
    const { streams } = request;
    const covers = "pattern" in streams ? compilePattern(streams.pattern) : (key: string) => streams.includes(key);
    const { group } = request;
    const parts = {
      broker: this.#broker,
      request,
      streams: "pattern" in streams ? [...this.#broker.streams.values()].filter(({ key }) => covers(key)) : this.#found(streams, request),
      covers,
      clock: this.#context.clock,
      publish: this.#context.onEvent,
    };
    return group === undefined ? new MemoryConsumer(parts) : new GroupConsumer({ ...parts, group });
  }

  async ping(): Promise<void> {}

  async close(_call: CallOptions): Promise<void> {
    releaseBroker(this.#name, this.#broker);
  }

  /** A bounded read of a missing stream makes none: it ends at once. */
  #found(keys: readonly string[], request: ConsumerRequest): MemoryStream[] {
    const create = request.createStream && request.until === undefined;
    return keys.flatMap((key) => {
      if (request.createStream && !create && !this.#broker.streams.has(key)) return [];
      return [this.#ensure(key, create, request)];
    });
  }

  #ensure(key: string, create: boolean, request: Pick<StreamRequest, "shards" | "retention">): MemoryStream {
    const stream = this.#broker.streams.get(key);
    if (stream !== undefined) return stream;
    if (!create) throw new MissingStream(key);
    const made = this.#broker.create(key, request.shards ?? 1, request.retention ?? {});
    this.#context.onEvent(streamCreated(key, request.shards ?? 1));
    return made;
  }
}
