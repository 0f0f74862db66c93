/** What a program may say when it connects. */
import type { Driver } from "../driver/driver.ts";
import type { MemoryConnectOptions } from "../memory/options.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock } from "../time/clock.ts";

/** Each driver adds its namespace here by declaration merging; that of the built-in one is always there. */
export interface ConnectNamespaces {
  readonly memory?: MemoryConnectOptions | undefined;
}

export interface ConnectOptions extends ConnectNamespaces {
  /** Drivers to look in first: for bundlers, tests, and clients that the program made itself. Default: found by the URL's scheme. */
  readonly drivers?: readonly Driver[] | undefined;
  /** How the broker's own tools name this client. Default: `seaway-<pid>`. */
  readonly clientName?: string | undefined;
  /** Gets every {@link StreamerEvent}. It should not throw; if it does, that is an uncaught exception. */
  readonly onEvent?: ((event: StreamerEvent) => void) | undefined;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
  /** For connecting, creating and admin calls, ms. Default: 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Default: the machine's. For tests. */
  readonly clock?: Clock | undefined;
  /** From 0 up to 1. Default: `Math.random`. For tests. */
  readonly random?: (() => number) | undefined;
}
