/** `@seaway/core/memory`: the driver for `memory://name`. */
import type { Driver } from "../driver/driver.ts";
import { memoryDriver } from "./driver.ts";
import type { MemoryConnectOptions } from "./options.ts";

export type { MemoryConnectOptions } from "./options.ts";

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
