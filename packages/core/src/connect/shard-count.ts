/** The option `shards`, wherever a stream may be made. */
import { StreamError } from "../error/stream-error.ts";

const MAX_SHARDS = 65_536;

/** @throws {StreamError} `invalid-option` */
export function assertShardCount(shards: number | undefined, backend: string): void {
  if (shards === undefined || (Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS)) return;
  throw new StreamError("invalid-option", `shards is a whole number from 1 to ${MAX_SHARDS}`, { phase: "setup", backend });
}
