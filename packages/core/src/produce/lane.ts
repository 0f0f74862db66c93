/** One stream and shard as a producer sees it: the unit in which order is kept when sends fail. */
import { StreamError } from "../error/stream-error.ts";
import { Fifo } from "../message/fifo.ts";
import type { PendingSend } from "./pending-send.ts";
import type { Ordering } from "./producer-options.ts";

/**
 * `open`: messages flow. `settling`: one failed retryably; nothing new is sent until all in flight has settled.
 * `waiting`: what is to be sent again waits for its back-off.
 */
export type LaneState = "open" | "settling" | "waiting";

export class Lane {
  readonly streamKey: string;
  readonly shardId: number;
  state: LaneState = "open";
  /** Messages given to the driver and not settled. */
  inFlight = 0;
  /** Tries since something was stored. */
  attempts = 0;
  /** What must go out before anything newer of this lane. */
  readonly backlog: Fifo<PendingSend> = new Fifo();
  #nextOrder = 0;
  /** The greatest order that is, or may be, stored. */
  #storedThrough = -1;
  #failed: PendingSend[] = [];

  constructor(streamKey: string, shardId: number) {
    this.streamKey = streamKey;
    this.shardId = shardId;
  }

  /** Whether a new message has to wait behind others of this lane. */
  get held(): boolean {
    return this.state !== "open" || this.backlog.length > 0;
  }

  number(pending: PendingSend): void {
    pending.order = this.#nextOrder;
    this.#nextOrder += 1;
  }

  /** `certain`: the backend said so. It may be stored as well when its outcome is unknown. */
  noteStored(pending: PendingSend, certain: boolean): void {
    if (pending.order > this.#storedThrough) this.#storedThrough = pending.order;
    if (certain) this.attempts = 0;
  }

  noteFailed(pending: PendingSend): void {
    this.#failed.push(pending);
    if (this.state === "open") this.state = "settling";
  }

  /**
   * Once nothing is in flight: what may be sent again goes to the front of the backlog, what would be stored out of order is returned
   * with its error.
   */
  settle(ordering: Ordering): { readonly retry: boolean; readonly rejected: readonly (readonly [PendingSend, StreamError])[] } {
    const failed = this.#failed.sort((a, b) => a.order - b.order);
    this.#failed = [];
    const firstSafe = ordering === "relaxed" ? 0 : failed.findIndex((pending) => pending.order > this.#storedThrough);
    const cut = firstSafe < 0 ? failed.length : firstSafe;
    this.backlog.unshiftAll(failed.slice(cut));
    this.state = cut < failed.length ? "waiting" : "open";
    return { retry: cut < failed.length, rejected: failed.slice(0, cut).map((pending) => [pending, overtaken(pending)] as const) };
  }
}

function overtaken(pending: PendingSend): StreamError {
  const before = pending.lastError;
  const code = before?.code ?? "timeout";
  const text = before === undefined ? "it was not stored" : before.message.slice(before.code.length + 2);
  return new StreamError(
    code,
    `${text}; messages sent after it were stored, so it was not sent again: send it anew, or use ordering: "relaxed"`,
    {
      retryable: true,
      cause: before,
      backend: before?.backend,
      streamKey: pending.streamKey,
    },
  );
}
