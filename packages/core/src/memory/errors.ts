/** What can go wrong in memory, and which code it has. */
import type { FailureClass } from "../driver/driver.ts";
import { MissingStream } from "./broker.ts";

/** A call that the driver does not claim; core never makes it. */
export class NotYet extends Error {
  override readonly name = "NotYet";
  constructor() {
    super("groups are not there yet");
  }
}

export function classifyError(error: unknown): FailureClass {
  if (error instanceof MissingStream) return { code: "stream-not-found", retryable: false };
  if (error instanceof NotYet) return { code: "unsupported", retryable: false };
  return { code: "backend", retryable: false };
}
