/** Where events go: the program's `onEvent`, and the diagnostics channel for errors. */
import type { Secrets } from "../error/secrets.ts";
import { errorChannel } from "./channels.ts";
import type { StreamerEvent } from "./event.ts";

export class EventSink {
  readonly #backend: string;
  readonly #listener: ((event: StreamerEvent) => void) | undefined;
  readonly #secrets: Secrets;

  constructor(backend: string, listener: ((event: StreamerEvent) => void) | undefined, secrets: Secrets) {
    this.#backend = backend;
    this.#listener = listener;
    this.#secrets = secrets;
  }

  /**
   * Publishes without credentials, whatever the driver's client put into its errors. A listener that throws is the program's mistake: it
   * surfaces as an uncaught exception, and nothing here is disturbed by it.
   */
  readonly publish = (event: StreamerEvent): void => {
    const full: StreamerEvent = {
      ...event,
      message: this.#secrets.redact(event.message),
      backend: event.backend ?? this.#backend,
      ...(event.error === undefined ? {} : { error: this.#secrets.clean(event.error) }),
    };
    if (full.level === "error" && errorChannel.hasSubscribers) errorChannel.publish(full);
    if (this.#listener === undefined) return;
    try {
      this.#listener(full);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
