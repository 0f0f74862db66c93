/** From options to a producer: checks, defaults, the stream's shards, the driver's half. */
import type { StreamShape } from "../driver/driver.ts";
import type { DriverProducer } from "../driver/driver-producer.ts";
import { StreamError } from "../error/stream-error.ts";
import { Packer } from "../produce/packer.ts";
import { Producer } from "../produce/producer.ts";
import type { ProducerOptions } from "../produce/producer-options.ts";
import { StreamRoute } from "../produce/stream-route.ts";
import { withDeadline } from "../time/deadline.ts";
import { assertUsableStreamKey } from "../url/stream-key.ts";
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
  if (shards !== undefined && !(Number.isInteger(shards) && shards >= 1 && shards <= 65536)) {
    throw new StreamError("invalid-option", "shards is a whole number from 1 to 65536", { phase: "setup", backend: driver.name });
  }
  if ((shards ?? 1) > 1 && !capabilities.shards) throw unsupported(parts, "shards");
  if (portable.dedupe === true && !capabilities.dedupe) throw unsupported(parts, "dedupe");
  const dedupe = portable.dedupe ?? capabilities.dedupe;

  const openRoute = async (key: string): Promise<StreamRoute> => {
    assertUsableStreamKey(key, "produce", "running");
    try {
      const request = { create: portable.createStream ?? true, shards, options: namespace };
      const shape: StreamShape = await withDeadline(
        { clock, timeoutMs, signal: portable.signal, what: `looking up stream "${key}"` },
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
  const anchor = anchorKey === undefined ? undefined : await openRoute(anchorKey);
  const ordering = portable.ordering ?? "kept";
  const request = { dedupe, strict: ordering === "strict", options: namespace };
  let driverProducer: DriverProducer;
  try {
    driverProducer = await withDeadline(
      { clock, timeoutMs, signal: portable.signal, what: "creating a producer" },
      (call) => connection.openProducer(request, call),
      (late) => void late.close({ signal: AbortSignal.abort() }).catch((error: unknown) => events.publish(lateCloseFailed(error))),
    );
  } catch (error) {
    throw wrapper.wrap(error, { phase: "setup", streamKey: anchorKey, what: "creating a producer" });
  }
  const producer: Producer<T> = new Producer<T>(
    {
      backend: driver.name,
      driver: driverProducer,
      outbox: {
        sendTimeoutMs: portable.sendTimeoutMs ?? 120_000,
        highWaterBytes: portable.highWaterBytes ?? 64 * MIB,
        maxBufferedBytes: portable.maxBufferedBytes ?? 512 * MIB,
        maxBatchBytes: portable.maxBatchBytes ?? MIB,
        ordering,
        dedupe,
      },
      packer: new Packer<T>({
        backend: driver.name,
        codec: portable.codec,
        contentType: portable.contentType ?? false,
        capabilities,
        checkSend: (options, isEntry) => parts.options.checkSend(options, isEntry),
      }),
      middleware: portable.middleware ?? [],
      clock,
      random: parts.random,
      wrapper,
      timeoutMs,
      openRoute,
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

export function lateCloseFailed(error: unknown): { code: string; level: "warn"; message: string; error: unknown } {
  return { code: "late-close-failed", level: "warn", message: "what was created too late for its caller could not be closed", error };
}
