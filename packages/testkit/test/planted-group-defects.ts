/** Drivers with one defect each in what concerns groups: the conformance suite has to catch them all, the model those that it can see. */
import type {
  ConsumerRequest,
  DriverConsumer,
  IncomingMessage,
  Received,
  ReceiveLimit,
  Settlement,
  SettleOutcome,
} from "@seaway/core/driver";
import { type Interception, overriding } from "@seaway/testkit";
import type { PlantedDefect } from "./planted-defects.ts";

export interface PlantedGroupDefect extends PlantedDefect {
  /** Whether random histories find it, too. */
  readonly seenByModel: boolean;
}

/** Changes only consumers in a group. */
function grouped(change: (consumer: DriverConsumer, request: ConsumerRequest) => DriverConsumer): Interception {
  return { consumer: (consumer, request) => (request.group === undefined ? consumer : change(consumer, request)) };
}

/** Puts another settlement in the place of some; `undefined` says that it was done and does nothing. */
function settlingOtherwise(change: (settlement: Settlement) => Settlement | undefined): Interception {
  return grouped((consumer) =>
    overriding(consumer, {
      settle: async (settlements, call) => {
        const changed = settlements.map(change);
        const told = changed.filter((settlement) => settlement !== undefined);
        const outcomes = await consumer.settle(told, call);
        let next = 0;
        return changed.map((settlement): SettleOutcome => (settlement === undefined ? "done" : (outcomes[next++] as SettleOutcome)));
      },
    }),
  );
}

/** Does something with what was received, before core has it. */
function receivingOtherwise(
  receive: (received: Received, consumer: DriverConsumer, limit: ReceiveLimit) => Received | Promise<Received>,
): Interception {
  return grouped((consumer) => overriding(consumer, { receive: async (limit) => receive(await consumer.receive(limit), consumer, limit) }));
}

/** Opens a consumer with a changed request; what it says of itself stays as the program asked for. */
function openingOtherwise(change: (request: ConsumerRequest) => ConsumerRequest): Interception {
  return {
    connection: (connection) =>
      overriding(connection, {
        openConsumer: async (request, call) => {
          if (request.group === undefined) return connection.openConsumer(request, call);
          const consumer = await connection.openConsumer(change(request), call);
          const { claimIdleMs } = request.options;
          return overriding(consumer, { leaseMs: typeof claimIdleMs === "number" ? claimIdleMs : 60_000 });
        },
      }),
  };
}

const call = { signal: new AbortController().signal, confirm: true };

function tokensOf(messages: readonly IncomingMessage[]): unknown[] {
  return messages.map((message) => message.token);
}

export const plantedGroupDefects: readonly PlantedGroupDefect[] = [
  {
    title: "drops one message in 500 that a group is given",
    interception: (() => {
      let count = 0;
      return receivingOtherwise((received) => ({ ...received, messages: received.messages.filter(() => ++count % 500 !== 0) }));
    })(),
    caughtBy: ["30"],
    seenByModel: false,
  },
  {
    title: "acks messages as it gives them",
    interception: receivingOtherwise(async (received, consumer) => {
      await consumer.settle(
        tokensOf(received.messages).map((token) => ({ kind: "ack", token })),
        call,
      );
      return received;
    }),
    caughtBy: ["25", "28", "32", "39"],
    seenByModel: true,
  },
  {
    title: "swaps two messages of a group's shard now and then",
    interception: receivingOtherwise((received) => {
      const [first, second, ...rest] = received.messages;
      if (first === undefined || second === undefined || first.shardId !== second.shardId) return received;
      return { ...received, messages: [second, first, ...rest] };
    }),
    caughtBy: ["24", "25"],
    seenByModel: true,
  },
  {
    title: "redelivers what was terminated",
    interception: settlingOtherwise((settlement) =>
      settlement.kind === "term" ? { kind: "release", token: settlement.token, unread: false } : settlement,
    ),
    caughtBy: ["41"],
    seenByModel: true,
  },
  {
    title: "redelivers a nak by itself and loses its delay",
    interception: {
      connection: (connection) => overriding(connection, { capabilities: { ...connection.capabilities, nak: "native" } }),
      ...settlingOtherwise((settlement) =>
        settlement.kind === "nak" ? { kind: "release", token: settlement.token, unread: false } : settlement,
      ),
    },
    caughtBy: ["40"],
    seenByModel: true,
  },
  {
    title: "does not write the count of what core redelivers",
    interception: settlingOtherwise((settlement) =>
      settlement.kind === "recount" ? { kind: "extend", token: settlement.token } : settlement,
    ),
    caughtBy: ["40"],
    seenByModel: true,
  },
  {
    title: "extends no lease and says that it did",
    interception: settlingOtherwise((settlement) => (settlement.kind === "extend" ? undefined : settlement)),
    caughtBy: ["35", "65"],
    seenByModel: true,
  },
  {
    title: "does not restore the count of what nobody read",
    interception: settlingOtherwise((settlement) => (settlement.kind === "release" ? { ...settlement, unread: false } : settlement)),
    caughtBy: ["33", "66"],
    seenByModel: true,
  },
  {
    title: "restores the count also of what was handed over",
    interception: settlingOtherwise((settlement) => (settlement.kind === "release" ? { ...settlement, unread: true } : settlement)),
    caughtBy: ["33"],
    seenByModel: true,
  },
  {
    title: "gives nothing back before its lease has passed",
    interception: settlingOtherwise((settlement) => (settlement.kind === "release" ? undefined : settlement)),
    caughtBy: ["33", "40", "56", "66"],
    seenByModel: true,
  },
  {
    title: "acks what a closing member had handed over",
    interception: settlingOtherwise((settlement) =>
      settlement.kind === "release" && !settlement.unread ? { kind: "ack", token: settlement.token } : settlement,
    ),
    caughtBy: ["25", "38", "39"],
    seenByModel: true,
  },
  {
    title: "steals from living members",
    interception: openingOtherwise((request) => ({ ...request, options: { ...request.options, claimIdleMs: 20, claimIntervalMs: 10 } })),
    caughtBy: ["35", "65"],
    seenByModel: true,
  },
  {
    title: "leaves to dead members what they had",
    interception: openingOtherwise((request) => ({ ...request, options: { ...request.options, claimIdleMs: 3_600_000 } })),
    caughtBy: ["32", "34", "37"],
    seenByModel: true,
  },
  {
    title: "claims twice as many as it gives",
    interception: grouped((consumer) =>
      overriding(consumer, {
        receive: async (limit) => {
          const received = await consumer.receive({ ...limit, maxMessages: limit.maxMessages * 2 });
          return { ...received, messages: received.messages.slice(0, limit.maxMessages) };
        },
      }),
    ),
    caughtBy: ["47", "48"],
    seenByModel: true,
  },
  {
    title: "raises no count",
    interception: receivingOtherwise((received) => ({
      ...received,
      messages: received.messages.map((message) => overriding(message, { deliveryCount: 1 })),
    })),
    caughtBy: ["32", "33"],
    seenByModel: true,
  },
  {
    title: "takes an ack for one of everything below it",
    interception: grouped((consumer) => {
      const given: IncomingMessage[] = [];
      return overriding(consumer, {
        receive: async (limit) => {
          const received = await consumer.receive(limit);
          given.push(...received.messages);
          return received;
        },
        settle: async (settlements, own) => {
          const below = settlements.flatMap(({ kind, token }) => {
            const at = kind === "ack" ? given.findIndex((message) => message.token === token) : -1;
            return at < 0 ? [] : given.splice(0, at + 1).slice(0, -1);
          });
          const outcomes = await consumer.settle(settlements, own);
          await consumer.settle(
            tokensOf(below).map((token) => ({ kind: "ack", token })),
            call,
          );
          return outcomes;
        },
      });
    }),
    caughtBy: ["27", "38"],
    seenByModel: true,
  },
  {
    title: "confirms commits and does nothing",
    interception: settlingOtherwise((settlement) => (settlement.kind === "ack" ? undefined : settlement)),
    caughtBy: ["24", "26", "38", "46"],
    seenByModel: true,
  },
  {
    title: "tells of acks only when it has to confirm them",
    interception: grouped((consumer) =>
      overriding(consumer, {
        settle: async (settlements, own) => {
          if (own.confirm || settlements.some(({ kind }) => kind !== "ack")) return consumer.settle(settlements, own);
          return settlements.map(() => "done");
        },
      }),
    ),
    caughtBy: ["38"],
    seenByModel: true,
  },
  {
    title: "lets a second reader in",
    interception: openingOtherwise((request) => ({ ...request, mode: "load-balanced" })),
    caughtBy: ["24c"],
    seenByModel: false,
  },
  {
    title: "forgets a group's position when its members are gone",
    interception: (() => {
      let opened = 0;
      return openingOtherwise((request) => ({ ...request, group: `${request.group}-${++opened}` }));
    })(),
    caughtBy: ["24", "26", "30"],
    seenByModel: true,
  },
  {
    title: "has one group for all",
    interception: openingOtherwise((request) => ({ ...request, group: "the one" })),
    caughtBy: ["31"],
    seenByModel: false,
  },
  {
    title: "moves no group",
    interception: {
      connection: (connection) =>
        overriding(connection, {
          admin: overriding(connection.admin, {
            setGroup: async (streamKey, group, to, mode, own) => {
              if (mode === "create") await connection.admin.setGroup(streamKey, group, to, mode, own);
            },
          }),
        }),
    },
    caughtBy: ["59"],
    seenByModel: false,
  },
  {
    title: "moves a group under its living members",
    interception: {
      connection: (connection) =>
        overriding(connection, {
          admin: overriding(connection.admin, {
            setGroup: async (streamKey, group, to, mode, own) => {
              await connection.admin.setGroup(streamKey, group, to, mode, own).catch(() => undefined);
            },
          }),
        }),
    },
    caughtBy: ["59"],
    seenByModel: false,
  },
  {
    title: "deletes a group under its living members",
    interception: {
      connection: (connection) => overriding(connection, { admin: overriding(connection.admin, { deleteGroup: () => Promise.resolve() }) }),
    },
    caughtBy: ["86"],
    seenByModel: false,
  },
  {
    title: "loses what arrives while a read is given up",
    interception: receivingOtherwise(async (received, _, limit) => {
      await new Promise((resolve) => setImmediate(resolve));
      return limit.signal.aborted ? { ...received, messages: [] } : received;
    }),
    caughtBy: ["52"],
    seenByModel: false,
  },
  {
    title: "starts a group at the end, whatever autoStreamReset says",
    interception: openingOtherwise((request) => ({ ...request, from: "latest" })),
    caughtBy: ["24", "32"],
    seenByModel: false,
  },
  {
    title: "starts a group anew at autoStreamReset where it has a position",
    interception: {
      connection: (connection) =>
        overriding(connection, {
          openConsumer: async (request, own) => {
            const { group, streams } = request;
            if (group !== undefined && Array.isArray(streams)) {
              for (const stream of streams) {
                const to = request.from === "earliest" ? "beginning" : "end";
                await connection.admin.setGroup(stream, group, to, "reset", own).catch(() => undefined);
              }
            }
            return connection.openConsumer(request, own);
          },
        }),
    },
    caughtBy: ["24", "26"],
    seenByModel: false,
  },
];
