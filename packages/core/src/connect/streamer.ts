/** A connection to one backend, from which producers and consumers are made. */
import type { Consumer } from "../consume/consumer.ts";
import type { ConsumerMode } from "../consume/consumer-mode.ts";
import type { ConsumerOptions, StreamSelection } from "../consume/consumer-options.ts";
import type { Capabilities } from "../driver/capabilities.ts";
import type { Driver, DriverConnection } from "../driver/driver.ts";
import { bothFailed } from "../error/both-failed.ts";
import { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import type { EventSink } from "../observe/event-sink.ts";
import type { Producer } from "../produce/producer.ts";
import type { ProducerOptions } from "../produce/producer-options.ts";
import type { Clock } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import type { StreamUrl } from "../url/streamer-uri.ts";
import { Admin } from "./admin.ts";
import { openConsumer } from "./open-consumer.ts";
import { openProducer } from "./open-producer.ts";
import type { OptionChecks } from "./option-checks.ts";

/** What everything made by one streamer shares. */
export interface StreamerParts {
  readonly url: StreamUrl;
  readonly driver: Driver;
  readonly connection: DriverConnection;
  readonly options: OptionChecks;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: EventSink;
  readonly wrapper: ErrorWrapper;
  readonly clientName: string;
  readonly timeoutMs: number;
  /** Aborts with the streamer's close: what is being created is given up. */
  readonly ending: AbortController;
}

interface Child {
  close(): Promise<void>;
  /** Of consumers: hands nothing more over, and resolves when its loop has asked for more. */
  drain?(): Promise<void>;
  /** Of consumers: closes without settling what is left. */
  hurry?(): void;
}

/** A connection to one backend. All methods may run concurrently. Closing it closes what it made. */
export class Streamer implements AsyncDisposable {
  /** Looks after streams and groups. */
  readonly admin: Admin;
  readonly #parts: StreamerParts;
  readonly #children = new Set<Child>();
  /** Creations under way. */
  readonly #opening = new Set<Promise<Child>>();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: StreamerParts) {
    this.#parts = parts;
    const { connection, clock, wrapper, timeoutMs, driver, options } = parts;
    this.admin = new Admin({
      backend: driver.name,
      connection,
      clock,
      wrapper,
      timeoutMs,
      assertOpen: () => this.#assertOpen(),
      checkStreamOptions: (given) => options.check("stream", given),
    });
  }

  /** What this backend can do. */
  get capabilities(): Capabilities {
    return this.#parts.connection.capabilities;
  }
  /** The streams that the URL names. */
  get streamKeys(): readonly string[] {
    return this.#parts.url.streamKeys;
  }
  /** The driver's name, such as `"redis"`. */
  get backend(): string {
    return this.#parts.driver.name;
  }
  /** The backend's own client, for what this library does not cover. */
  get native(): unknown {
    return this.#parts.connection.native;
  }

  /**
   * Makes a producer. Without a key it takes the URL's only one; with none or several there, use `anchor` or `sendTo`. A missing stream
   * is made (`createStream: false`: `stream-not-found`).
   */
  async createProducer<T = string | Uint8Array>(streamKey?: string, options: ProducerOptions<T> = {}): Promise<Producer<T>> {
    this.#assertOpen();
    return this.#adopt(openProducer<T>(this.#parts, streamKey, options, (child) => this.#children.delete(child)));
  }

  /**
   * Makes a consumer of one stream, several, or all that match a pattern; without keys, of the URL's. Its start is fixed when this
   * resolves: nothing that is sent later is missed.
   */
  async createConsumer<T = Uint8Array, Mode extends ConsumerMode = ConsumerMode>(
    streams?: StreamSelection,
    options: ConsumerOptions<T, Mode> = {},
  ): Promise<Consumer<T>> {
    this.#assertOpen();
    return this.#adopt(
      openConsumer<T, Mode>(
        this.#parts,
        streams,
        options,
        () => this.createProducer(),
        (child) => this.#children.delete(child),
      ),
    );
  }

  /** Resolves when the backend answers; rejects within `timeoutMs`. */
  async ping(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#assertOpen();
    const { clock, timeoutMs, connection, wrapper } = this.#parts;
    try {
      await withDeadline({ clock, timeoutMs, signal: options?.signal, what: "ping" }, (call) => connection.ping(call));
    } catch (error) {
      throw wrapper.wrap(error, { what: "ping" });
    }
  }

  /**
   * Flushes and closes producers, closes consumers, then the connection (a borrowed client stays open). Idempotent. Aborted, it rejects,
   * and consumers give back at once.
   */
  close(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#closing ??= this.#close();
    const closing = this.#closing;
    const signal = options?.signal;
    if (signal === undefined) return closing;
    const hurry = (): void => {
      for (const child of this.#children) child.hurry?.();
    };
    signal.addEventListener("abort", hurry, { once: true });
    if (signal.aborted) hurry();
    closing.catch(() => undefined).finally(() => signal.removeEventListener("abort", hurry));
    // Nobody may be left to hear of a failure after the caller has given up waiting.
    return withDeadline({ clock: this.#parts.clock, signal, what: "closing the streamer" }, () => closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Lets every loop finish the message that it has, for at most so long, then closes. See `shutdownOn`. @internal */
  async shutdown(drainTimeoutMs: number): Promise<void> {
    const drained = Promise.all(Array.from(this.#children, (child) => child.drain?.()));
    const { clock } = this.#parts;
    try {
      // 0 is no time here, not for ever.
      if (drainTimeoutMs > 0) await withDeadline({ clock, timeoutMs: drainTimeoutMs, what: "draining" }, () => drained);
    } catch (error) {
      const message = `a loop did not ask for its next message within ${drainTimeoutMs} ms; what it has is given back`;
      this.#parts.events.publish({ code: "drain-timeout", level: "warn", message, error });
    }
    await this.close();
  }

  async #close(): Promise<void> {
    const { clock, timeoutMs, connection, wrapper, ending } = this.#parts;
    ending.abort();
    await Promise.allSettled(this.#opening);
    const closed = await Promise.allSettled(Array.from(this.#children, (child) => child.close()));
    const failures: unknown[] = closed.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    try {
      await withDeadline({ clock, timeoutMs, what: "closing the connection" }, (call) => connection.close(call));
    } catch (error) {
      failures.push(wrapper.wrap(error, { what: "closing the connection" }));
    }
    if (failures.length > 0) throw failures.reduce((first, next) => bothFailed(first, next));
  }

  /** A child that comes while the streamer is closing is closed again, before the connection is. */
  async #adopt<C extends Child>(opening: Promise<C>): Promise<C> {
    const adopted = opening.then(
      async (child) => {
        if (this.#closing === undefined) {
          this.#children.add(child);
          return child;
        }
        await child.close();
        throw closedError();
      },
      (error: unknown) => {
        throw this.#closing === undefined ? error : closedError();
      },
    );
    this.#opening.add(adopted);
    try {
      return await adopted;
    } finally {
      this.#opening.delete(adopted);
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}

function closedError(): StreamError {
  return new StreamError("closed", "this streamer was closed: connect again");
}
