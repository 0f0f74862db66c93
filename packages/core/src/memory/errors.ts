/** What can go wrong in memory, and which code it has. */
import type { FailureClass } from "../driver/driver.ts";
import { MissingStream } from "./broker.ts";

/** A resumable group has its reader, or a group that is to be moved has live members. */
export class GroupInUse extends Error {
  override readonly name = "GroupInUse";
  constructor(group: string, streamKey: string) {
    super(`group "${group}" of stream "${streamKey}" is in use`);
  }
}

/** A seek to a shard that is not there. */
export class MissingShard extends Error {
  override readonly name = "MissingShard";
  constructor(streamKey: string, shardId: number, shards: number) {
    super(`stream "${streamKey}" has shards 0 to ${shards - 1}, not ${shardId}`);
  }
}

export class MissingGroup extends Error {
  override readonly name = "MissingGroup";
  constructor(group: string, streamKey: string) {
    super(`stream "${streamKey}" has no group "${group}" (or no longer): create the consumer again`);
  }
}

export function classifyError(error: unknown): FailureClass {
  if (error instanceof MissingStream) return { code: "stream-not-found", retryable: false };
  if (error instanceof MissingShard) return { code: "not-assigned", retryable: false };
  if (error instanceof GroupInUse) return { code: "group-in-use", retryable: true, advice: "close its reader first, or wait" };
  if (error instanceof MissingGroup) return { code: "backend", retryable: false };
  return { code: "backend", retryable: false };
}
