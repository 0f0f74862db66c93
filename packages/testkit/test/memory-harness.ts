import { memory } from "@seaway/core/memory";
import { type ConformanceHarness, interceptDriver } from "@seaway/testkit";
import { malformable } from "./malformable.ts";

const { driver: readable, malform } = malformable(memory());
/** The brokers underneath, as far as adding a shard goes: memory has no call for it. */
interface Broker {
  readonly streams: ReadonlyMap<string, { readonly shards: { readonly constructor: unknown }[] }>;
}
let broker: Broker | undefined;
const driver = interceptDriver(readable, {
  connection: (connection) => {
    broker = connection.native as Broker;
    return connection;
  },
});

async function addShard(streamKey: string): Promise<void> {
  const shards = broker?.streams.get(streamKey)?.shards;
  const log = shards?.[0];
  if (shards === undefined || log === undefined) throw new Error(`there is no stream ${streamKey}`);
  shards.push(new (log.constructor as new () => { readonly constructor: unknown })());
}

export const memoryHarness: ConformanceHarness = {
  name: "memory",
  driver,
  malform,
  addShard,
  url: () => `memory://conformance-${crypto.randomUUID()}`,
  child: { directory: import.meta.dirname, specifier: "@seaway/core/memory", factory: "memory" },
  shortLeases: ({ idleMs, intervalMs }) => ({
    leaseMs: idleMs,
    options: { memory: { claimIdleMs: idleMs, claimIntervalMs: intervalMs, readerLeaseMs: idleMs } },
  }),
};
