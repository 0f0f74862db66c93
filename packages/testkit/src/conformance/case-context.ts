/** What a case works with: connections to the backend under test, closed after it. */
import { type ConnectOptions, connect, type Streamer, type StreamerEvent } from "@seaway/core";
import type { Capabilities, Driver } from "@seaway/core/driver";
import { within } from "../wait/within.ts";
import { type ConformanceHarness, type ConformanceLimits, DEFAULT_LIMITS } from "./harness.ts";

export class CaseContext {
  readonly harness: ConformanceHarness;
  readonly limits: ConformanceLimits;
  readonly url: string;
  /** Of all connections of the case. */
  readonly events: StreamerEvent[] = [];
  readonly #open: Streamer[] = [];
  #streamer: Streamer | undefined;

  private constructor(harness: ConformanceHarness, url: string) {
    this.harness = harness;
    this.limits = { ...DEFAULT_LIMITS, ...harness.limits };
    this.url = url;
  }

  static async open(harness: ConformanceHarness): Promise<CaseContext> {
    const context = new CaseContext(harness, await harness.url());
    context.#streamer = await context.connect();
    return context;
  }

  /** The case's first connection. */
  get streamer(): Streamer {
    if (this.#streamer === undefined) throw new TypeError("the context is not open");
    return this.#streamer;
  }

  get capabilities(): Capabilities {
    return this.streamer.capabilities;
  }

  /** Another connection to the same backend, as a second program would have. */
  connect(options: Partial<ConnectOptions> = {}): Promise<Streamer> {
    return this.connectTo(this.url, options);
  }

  /** The same through a wrapped driver. */
  connectThrough(driver: Driver): Promise<Streamer> {
    return this.connect({ drivers: [driver] });
  }

  async connectTo(url: string, options: Partial<ConnectOptions> = {}): Promise<Streamer> {
    const opening = connect(url, {
      ...this.harness.connect,
      drivers: [this.harness.driver],
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    const streamer = await within(opening, this.limits.waitMs * 2, "connect");
    this.#open.push(streamer);
    return streamer;
  }

  urlWithKeys(...keys: readonly string[]): string {
    const given = this.harness.urlWithKeys?.(this.url, keys);
    if (given !== undefined) return given;
    const [address = "", query] = this.url.split("?", 2);
    return `${address}/${keys.join(",")}${query === undefined ? "" : `?${query}`}`;
  }

  /** A key that nobody has used. */
  freshStream(): string {
    return this.harness.freshStreamName?.() ?? `conf-${crypto.randomUUID()}`;
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const streamer of this.#open.splice(0).reverse()) {
      await within(streamer.close(), this.limits.waitMs, "closing the streamer after the case").catch((error: unknown) =>
        failures.push(error),
      );
    }
    if (failures.length > 0) throw new AggregateError(failures, "closing after the case failed");
  }
}
