/** Where events go: the program's `onEvent`, and the diagnostics channel for errors. */
import { errorChannel } from "./channels.ts";
import type { StreamerEvent } from "./event.ts";

export class EventSink {
  readonly #listener: ((event: StreamerEvent) => void) | undefined;
  readonly #backend: string;

  constructor(backend: string, listener: ((event: StreamerEvent) => void) | undefined) {
    this.#backend = backend;
    this.#listener = listener;
  }

  /** A listener that throws is the program's mistake: it surfaces as an uncaught exception, and nothing here is disturbed by it. */
  readonly publish = (event: StreamerEvent): void => {
    const full = event.backend === undefined ? { ...event, backend: this.#backend } : event;
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
