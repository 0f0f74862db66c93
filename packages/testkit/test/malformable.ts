/** For backends that have no way to put a foreign entry into a stream: an entry that the driver says it cannot read. */
import type { Driver, DriverConnection } from "@seaway/core/driver";
import { interceptDriver, overriding } from "@seaway/testkit";

export interface Malformable {
  readonly driver: Driver;
  malform(streamKey: string, bytes: Uint8Array): Promise<void>;
}

/** Stores what `malform` is given as an ordinary message through `driver`, and has every consumer receive it as malformed. */
export function malformable(driver: Driver): Malformable {
  const foreign = new Set<string>();
  const connections: DriverConnection[] = [];
  const placeOf = (place: { readonly streamKey: string; readonly shardId: number; readonly sequence: bigint }): string =>
    `${place.streamKey} ${place.shardId}:${place.sequence}`;
  return {
    driver: interceptDriver(driver, {
      connection: (connection) => {
        connections.push(connection);
        return connection;
      },
      consumer: (consumer) =>
        overriding(consumer, {
          receive: async (limit) => {
            const received = await consumer.receive(limit);
            if (!received.messages.some((message) => foreign.has(placeOf(message)))) return received;
            const messages = received.messages.map((message) =>
              foreign.has(placeOf(message)) ? overriding(message, { malformed: new Error("not an entry of ours") }) : message,
            );
            return { ...received, messages };
          },
        }),
    }),
    malform: async (streamKey, bytes) => {
      const call = { signal: new AbortController().signal };
      const producer = await connections.at(-1)!.openProducer({ dedupe: false, strict: true, options: {} }, call);
      // Marked before anyone can receive it: a stream of one shard whose only writer is the case that calls this.
      const [outcome] = await producer.send([{ streamKey, shardId: 0, payload: bytes }], call);
      if (outcome?.stored !== true) throw new Error("the foreign entry was not stored");
      foreign.add(placeOf({ streamKey, shardId: 0, sequence: outcome.sequence }));
      await producer.close(call);
    },
  };
}
