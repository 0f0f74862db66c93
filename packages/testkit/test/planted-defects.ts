/** Drivers with one defect each, planted into memory: what the suite is there to catch. */
import type { Driver, DriverConsumer, DriverProducer, IncomingMessage, OutgoingMessage, Received, SendOutcome } from "@seaway/core/driver";
import { memory } from "@seaway/core/memory";
import { type Interception, interceptDriver, overriding } from "@seaway/testkit";

/** Sends with something done to the batch or to its outcomes. */
function sending(
  send: (
    batch: readonly OutgoingMessage[],
    store: (batch: readonly OutgoingMessage[]) => Promise<readonly SendOutcome[]>,
  ) => Promise<readonly SendOutcome[]>,
): Interception {
  return {
    producer: (producer: DriverProducer) =>
      overriding(producer, { send: (batch, call) => send(batch, (changed) => producer.send(changed, call)) }),
  };
}

/** Receives with something done to the messages; the state lives as long as the consumer. */
function receiving<State>(
  initial: () => State,
  change: (messages: readonly IncomingMessage[], state: State, received: Received) => readonly IncomingMessage[],
): Interception {
  return {
    consumer: (consumer: DriverConsumer) => {
      const state = initial();
      return overriding(consumer, {
        receive: async (limit) => {
          const received = await consumer.receive(limit);
          return { ...received, messages: change(received.messages, state, received) };
        },
      });
    },
  };
}

function without(message: OutgoingMessage, ...names: readonly (keyof OutgoingMessage)[]): OutgoingMessage {
  return overriding(message, Object.fromEntries(names.map((name) => [name, undefined])));
}

export interface PlantedDefect {
  readonly title: string;
  readonly interception: Interception;
  /** Numbers of cases of which each must fail. */
  readonly caughtBy: readonly string[];
}

const kept: IncomingMessage[] = [];

export const plantedDefects: readonly PlantedDefect[] = [
  {
    title: "drops one message in 1,000 while receiving",
    interception: receiving(
      () => ({ count: 0 }),
      (messages, state) => messages.filter(() => ++state.count % 1_000 !== 0),
    ),
    caughtBy: ["4", "18", "23"],
  },
  {
    title: "drops one message in 1,000 while sending, with a receipt all the same",
    interception: (() => {
      let count = 0;
      return sending(async (batch, store) => {
        const dropped = new Set(batch.filter(() => ++count % 1_000 === 0));
        const outcomes = await store(batch.filter((message) => !dropped.has(message)));
        let next = 0;
        return batch.map(
          (message): SendOutcome => (dropped.has(message) ? { stored: true, sequence: 1n } : (outcomes[next++] as SendOutcome)),
        );
      });
    })(),
    caughtBy: ["4"],
  },
  {
    title: "swaps two messages of a shard now and then",
    interception: receiving(
      () => ({ count: 0 }),
      (messages, state) => {
        state.count += messages.length;
        if (messages.length < 2 || state.count < 100) return messages;
        const [first, second, ...rest] = messages as [IncomingMessage, IncomingMessage, ...IncomingMessage[]];
        return first.streamKey === second.streamKey && first.shardId === second.shardId ? [second, first, ...rest] : messages;
      },
    ),
    caughtBy: ["3", "4"],
  },
  {
    title: "stores pipelined batches in another order",
    interception: {
      producer: (producer: DriverProducer) => {
        let count = 0;
        const later = { limits: { ...producer.limits, batchMessages: 100, batchesInFlight: Math.max(producer.limits.batchesInFlight, 4) } };
        return overriding(producer, {
          ...later,
          send: async (batch, call) => {
            count += 1;
            if (count % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
            return producer.send(batch, call);
          },
        });
      },
    },
    caughtBy: ["4"],
  },
  {
    title: "delivers a message twice now and then",
    interception: receiving(
      () => ({ count: 0 }),
      (messages, state) => messages.flatMap((message) => (++state.count % 50 === 0 ? [message, message] : [message])),
    ),
    caughtBy: ["3", "4"],
  },
  {
    title: "stores a message twice now and then, as a client does that repeats a command by itself",
    interception: (() => {
      let count = 0;
      return sending(async (batch, store) => {
        const outcomes = await store(batch);
        if (++count % 5 === 0) await store(batch.slice(-1).map((message) => without(message, "messageId")));
        return outcomes;
      });
    })(),
    caughtBy: ["17"],
  },
  {
    title: "finds the start of latest at the first read",
    interception: {
      consumer: (consumer: DriverConsumer, request) => {
        let started = request.from !== "latest";
        return overriding(consumer, {
          receive: async (limit) => {
            if (!started) {
              started = true;
              const call = { signal: new AbortController().signal };
              const { epoch } = await consumer.seek(
                consumer.start.map((shard) => ({ ...shard, position: "end" as const })),
                call,
              );
              return { messages: [], epoch };
            }
            return consumer.receive(limit);
          },
        });
      },
    },
    caughtBy: ["17", "20"],
  },
  {
    title: "has latest miss the first message of each consumer",
    interception: {
      consumer: (consumer: DriverConsumer, request) => {
        let missed = request.from !== "latest";
        return overriding(consumer, {
          receive: async (limit) => {
            const received = await consumer.receive(limit);
            if (missed || received.messages.length === 0) return received;
            missed = true;
            return { ...received, messages: received.messages.slice(1) };
          },
        });
      },
    },
    caughtBy: ["17", "3"],
  },
  {
    title: "gives messages of before a seek as if they came after it",
    interception: {
      consumer: (consumer: DriverConsumer) => {
        let last: readonly IncomingMessage[] = [];
        let stale: readonly IncomingMessage[] = [];
        return overriding(consumer, {
          receive: async (limit) => {
            const received = await consumer.receive(limit);
            if (received.messages.length === 0) return received;
            const messages = [...stale, ...received.messages];
            stale = [];
            last = received.messages.slice(-2);
            return { ...received, messages };
          },
          seek: async (targets, call) => {
            stale = last;
            return consumer.seek(targets, call);
          },
        });
      },
    },
    caughtBy: ["53", "58"],
  },
  {
    title: "seeks to the first message at a time or later",
    interception: {
      consumer: (consumer: DriverConsumer) =>
        overriding(consumer, {
          seek: (targets, call) =>
            consumer.seek(
              targets.map((target) =>
                typeof target.position === "object" && "afterMs" in target.position
                  ? { ...target, position: { afterMs: target.position.afterMs - 1 } }
                  : target,
              ),
              call,
            ),
        }),
    },
    caughtBy: ["54"],
  },
  {
    title: "takes a sequence to rewind to as exclusive",
    interception: {
      consumer: (consumer: DriverConsumer) =>
        overriding(consumer, {
          seek: (targets, call) =>
            consumer.seek(
              targets.map((target) =>
                typeof target.position === "object" && "at" in target.position
                  ? { ...target, position: { at: target.position.at + 1n } }
                  : target,
              ),
              call,
            ),
        }),
    },
    caughtBy: ["53"],
  },
  {
    title: "gives receipts with the sequence of the message before",
    interception: sending(async (batch, store) => {
      const outcomes = await store(batch);
      return outcomes.map((outcome) => (outcome.stored === true ? { ...outcome, sequence: outcome.sequence - 1n } : outcome));
    }),
    caughtBy: ["3"],
  },
  {
    title: "loses headers in silence",
    interception: sending((batch, store) => store(batch.map((message) => without(message, "headers")))),
    caughtBy: ["11", "88"],
  },
  {
    title: "trims header values",
    interception: sending((batch, store) =>
      store(
        batch.map((message) =>
          message.headers === undefined
            ? message
            : overriding(message, {
                headers: message.headers.map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]),
              }),
        ),
      ),
    ),
    caughtBy: ["11"],
  },
  {
    title: "loses keys in silence",
    interception: sending((batch, store) => store(batch.map((message) => without(message, "key")))),
    caughtBy: ["11"],
  },
  {
    title: "claims de-duplication and does not do it",
    interception: {
      connection: (connection) =>
        overriding(connection, { openProducer: (request, call) => connection.openProducer({ ...request, dedupe: false }, call) }),
    },
    caughtBy: ["14"],
  },
  {
    title: "reads on beyond the end of a bounded read",
    interception: {
      connection: (connection) =>
        overriding(connection, { openConsumer: (request, call) => connection.openConsumer({ ...request, until: undefined }, call) }),
    },
    caughtBy: ["23b"],
  },
  {
    title: "keeps a quiet stream's messages until a busy one has nothing",
    interception: receiving(
      () => ({ waiting: [] as IncomingMessage[], busy: "" }),
      (messages, state) => {
        if (messages.length > 1) state.busy ||= messages[0]!.streamKey;
        const all = [...state.waiting, ...messages];
        state.waiting = messages.length === 0 ? [] : all.filter((message) => state.busy !== "" && message.streamKey !== state.busy);
        return all.filter((message) => !state.waiting.includes(message));
      },
    ),
    caughtBy: ["21"],
  },
  {
    title: "shares a message out among consumers instead of giving it to each",
    interception: (() => {
      const given = new Set<string>();
      return receiving(
        () => undefined,
        (messages) =>
          messages.filter((message) => {
            const place = `${message.streamKey} ${message.shardId}:${message.sequence}`;
            if (given.has(place)) return false;
            given.add(place);
            return true;
          }),
      );
    })(),
    caughtBy: ["20"],
  },
  {
    title: "never finishes closing a consumer",
    interception: { consumer: (consumer: DriverConsumer) => overriding(consumer, { close: () => new Promise<void>(() => {}) }) },
    caughtBy: ["73", "75"],
  },
  {
    title: "stops at a malformed entry",
    interception: receiving(
      () => ({ poisoned: false }),
      (messages, state) => {
        const bad = messages.findIndex((message) => message.malformed !== undefined);
        if (state.poisoned) return [];
        if (bad < 0) return messages;
        state.poisoned = true;
        return messages.slice(0, bad);
      },
    ),
    caughtBy: ["84", "85"],
  },
  {
    title: "drops malformed entries in silence",
    interception: receiving(
      () => undefined,
      (messages) => messages.filter((message) => message.malformed === undefined),
    ),
    caughtBy: ["84"],
  },
  {
    title: "keeps every message that it gave",
    interception: receiving(
      () => undefined,
      (messages) => {
        kept.push(...messages);
        return messages;
      },
    ),
    caughtBy: ["23"],
  },
];

/** Memory whose consumers leave a timer running when they are closed; for the case that watches a process exit. @public Imported by name in the child. */
export function leakyMemory(): Driver {
  return interceptDriver(memory(), {
    consumer: (consumer) => {
      setInterval(() => {}, 1_000);
      return consumer;
    },
  });
}
