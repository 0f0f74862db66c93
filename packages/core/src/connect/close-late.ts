/** Closes what a driver made after its caller had given up: nothing that arrives too late stays open. */
import type { CallOptions } from "../driver/driver.ts";
import type { EventSink } from "../observe/event-sink.ts";
import type { Clock } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";

export interface CloseLateParts {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly events: EventSink;
}

export function closeLate(parts: CloseLateParts, late: { close(call: CallOptions): Promise<void> }): void {
  const { clock, timeoutMs, events } = parts;
  // With time of its own: the call that it was made for has none left, and a driver that saw that would not even begin.
  withDeadline({ clock, timeoutMs, what: "closing what was created too late" }, (call) => late.close(call)).catch((error: unknown) => {
    const message = "what was created too late for its caller could not be closed";
    events.publish({ code: "late-close-failed", level: "warn", message, error });
  });
}
