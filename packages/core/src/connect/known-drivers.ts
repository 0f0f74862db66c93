/** The one place where core knows a broker's name: which package answers to which scheme. */

export interface KnownDriver {
  /** Also the options' namespace. */
  readonly name: string;
  readonly packageName: string;
  readonly schemes: readonly string[];
}

export const KNOWN_DRIVERS: readonly KnownDriver[] = [
  { name: "file", packageName: "@seaway/file", schemes: ["file"] },
  { name: "stdio", packageName: "@seaway/stdio", schemes: ["stdio"] },
  { name: "redis", packageName: "@seaway/redis", schemes: ["redis", "rediss", "redis+sentinel", "rediss+sentinel"] },
  { name: "nats", packageName: "@seaway/nats", schemes: ["nats", "tls"] },
  { name: "kafka", packageName: "@seaway/kafka", schemes: ["kafka", "kafka+ssl"] },
];
