/** `@seaway/core/memory`: the driver for `memory://name`. */

import type { ConsumerMode } from "../consume/consumer-mode.ts";
import type { Driver } from "../driver/driver.ts";
import { memoryDriver } from "./driver.ts";
import type { MemoryConnectOptions, MemoryConsumerOptions } from "./options.ts";

export type { MemoryConnectOptions, MemoryConsumerOptions } from "./options.ts";

/**
 * A broker in this process. Connections to one name share it; processes share nothing. It lives while it has streams or connections.
 */
export function memory(): Driver {
  return memoryDriver;
}

declare module "../connect/connect-options.ts" {
  interface ConnectNamespaces {
    readonly memory?: MemoryConnectOptions | undefined;
  }
}

declare module "../consume/consumer-options.ts" {
  interface ConsumerNamespaces<Mode extends ConsumerMode> {
    readonly memory?: (Mode extends "real-time" ? Record<string, never> : MemoryConsumerOptions) | undefined;
  }
}
