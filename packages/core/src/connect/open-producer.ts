/** From options to a producer: checks, defaults, the stream's shards, the driver's half. */
import type { StreamShape } from "../driver/driver.ts";
import type { DriverProducer } from "../driver/driver-producer.ts";
import { StreamError } from "../error/stream-error.ts";
import { Packer } from "../produce/packer.ts";
import { Producer } from "../produce/producer.ts";
import type { ProducerOptions } from "../produce/producer-options.ts";
import { StreamRoute } from "../produce/stream-route.ts";
import { anySignal, withDeadline } from "../time/deadline.ts";
import { assertUsableStreamKey } from "../url/stream-key.ts";
import { closeLate } from "./close-late.ts";
import { assertShardCount } from "./shard-count.ts";
import type { StreamerParts } from "./streamer.ts";

const MIB = 1024 * 1024;
const DEFAULT_MAX_MESSAGE_BYTES = 8 * MIB;

export async function openProducer<T>(
  parts: StreamerParts,
  streamKey: string | undefined,
  given: ProducerOptions<T>,
  onClosed: (producer: Producer<T>) => void,
): Promise<Producer<T>> {
  const { connection, driver, clock, wrapper, events } = parts;
  const capabilities = connection.capabilities;
  const { portable, namespace } = parts.options.check<ProducerOptions<T>>("producer", given);
  if (streamKey !== undefined) assertUsableStreamKey(streamKey, "produce");
  const timeoutMs = portable.timeoutMs ?? parts.timeoutMs;
  const shards = portable.shards;
  assertShardCount(shards, driver.name);
  if ((shards ?? 1) > 1 && !capabilities.shards) throw unsupported(parts, "shards");
  if (portable.dedupe === true && !capabilities.dedupe) throw unsupported(parts, "dedupe");
  const dedupe = portable.dedupe ?? capabilities.dedupe;

  const packer = new Packer<T>({
    backend: driver.name,
    codec: portable.codec,
    contentType: portable.contentType ?? false,
    capabilities,
    checkSend: (options, isEntry) => parts.options.checkSend(options, isEntry),
  });
  const creating = anySignal(portable.signal, parts.ending.signal);

  /** `signal` gives up creating the producer, and nothing that is looked up later. */
  const openRoute = async (key: string, signal?: AbortSignal): Promise<StreamRoute> => {
    assertUsableStreamKey(key, "produce", signal === undefined ? "running" : "setup");
    try {
      const request = { create: portable.createStream ?? true, shards, options: namespace };
      const shape: StreamShape = await withDeadline(
        { clock, timeoutMs, signal, what: `looking up stream "${key}"`, details: { backend: driver.name, phase: "setup", streamKey: key } },
        (call) => connection.ensureStream(key, request, call),
      );
      if (shards !== undefined && shape.shards !== shards) {
        throw new StreamError("invalid-option", `stream "${key}" has ${shape.shards} shards, not ${shards}: leave shards out to use them`, {
          backend: driver.name,
          streamKey: key,
        });
      }
      const limit = portable.maxMessageBytes ?? shape.maxMessageBytes ?? capabilities.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
      return new StreamRoute(key, shape, limit, portable.sharder);
    } catch (error) {
      throw wrapper.wrap(error, { phase: "setup", streamKey: key, what: `looking up stream "${key}"` });
    }
  };

  const anchorKey = streamKey ?? (parts.url.streamKeys.length === 1 ? parts.url.streamKeys[0] : undefined);
  const anchor = anchorKey === undefined ? undefined : await openRoute(anchorKey, creating);
  const ordering = portable.ordering ?? "kept";
  const request = { dedupe, strict: ordering === "strict", options: namespace };
  let driverProducer: DriverProducer;
  try {
    driverProducer = await withDeadline(
      {
        clock,
        timeoutMs,
        signal: creating,
        what: "creating a producer",
        details: { backend: driver.name, phase: "setup", streamKey: anchorKey },
      },
      (call) => connection.openProducer(request, call),
      (late) => closeLate({ clock, timeoutMs, events }, late),
    );
  } catch (error) {
    throw wrapper.wrap(error, { phase: "setup", streamKey: anchorKey, what: "creating a producer" });
  }
  const producer: Producer<T> = new Producer<T>(
    {
      backend: driver.name,
      driver: driverProducer,
      outbox: {
        // 0: none.
        sendTimeoutMs: (portable.sendTimeoutMs ?? 120_000) || Number.POSITIVE_INFINITY,
        highWaterBytes: portable.highWaterBytes ?? 64 * MIB,
        maxBufferedBytes: portable.maxBufferedBytes ?? 512 * MIB,
        maxBatchBytes: portable.maxBatchBytes ?? MIB,
        ordering,
        dedupe,
      },
      packer,
      middleware: portable.middleware ?? [],
      clock,
      random: parts.random,
      wrapper,
      timeoutMs,
      openRoute: (key) => openRoute(key),
      onClosed: () => onClosed(producer),
    },
    anchor,
  );
  return producer;
}

function unsupported(parts: StreamerParts, ability: "shards" | "dedupe"): StreamError {
  const reason = parts.connection.capabilities.reasons?.[ability] ?? "the backend cannot do it";
  return new StreamError("unsupported", `${ability} on ${parts.driver.name}: ${reason}`, { phase: "setup", backend: parts.driver.name });
}
