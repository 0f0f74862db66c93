/** `@seaway/file`: the driver for `file:///path/events.ss`. */
import type {} from "@seaway/core";
import type { Driver } from "@seaway/core/driver";
import { fileDriver } from "./driver.ts";
import type { FileConnectOptions } from "./options.ts";

export type { FileNative } from "./connection.ts";
export type { FileConnectOptions } from "./options.ts";

/** Streams in one file, in SeaStreamer's `.ss` format: no server, any number of readers in other processes. */
export function file(): Driver {
  return fileDriver;
}

declare module "@seaway/core" {
  interface ConnectNamespaces {
    readonly file?: FileConnectOptions | undefined;
  }
}
