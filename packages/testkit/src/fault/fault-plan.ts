/** What shall go wrong, as data. */
import type { ErrorCode } from "@seaway/core";

/** Where a fault can be: opening a connection, sending a batch, receiving one, settling, seeking. */
export type FaultyOperation = "open" | "send" | "receive" | "settle" | "seek";

/**
 * - `fail-before`: the call fails and nothing was done (a send: nothing stored).
 * - `fail-after`: it was done and its answer is lost (a send: stored, outcome unknown; a receive: what was read comes with the next one).
 * - `delay`: it is done `delayMs` later.
 * - `late-answer`: it is done at once and answered `delayMs` later.
 * - `duplicate`: a send is stored twice, the second time as if a retry underneath had repeated it (its receipts are those of the first);
 *   the messages of a receive are given once more by the next one. Elsewhere: done twice.
 * - `hold`: it waits until `release` is called for its operation.
 */
export type FaultKind = "fail-before" | "fail-after" | "delay" | "late-answer" | "duplicate" | "hold";

export interface FaultRule {
  readonly fault: FaultKind;
  /** Only these calls of the operation, counted from 1 over all connections. Default: every call. */
  readonly calls?: readonly number[] | undefined;
  /** From 0 to 1, drawn from the seed for each call that `calls` allows. Default: 1. */
  readonly chance?: number | undefined;
  /** How often at most. Default: no limit. */
  readonly times?: number | undefined;
  /** For `delay` and `late-answer`, ms. Default: 10. */
  readonly delayMs?: number | undefined;
  /** For the failures: what core is told. Default: `backend`, retryable. */
  readonly code?: ErrorCode | undefined;
  readonly retryable?: boolean | undefined;
}

/** The rules of each operation; of several that hold for a call, the first is taken. */
export type FaultPlan = Readonly<Partial<Record<FaultyOperation, readonly FaultRule[]>>>;

/** The error of a planned failure, as if the backend's client had thrown it. */
export class FaultError extends Error {
  override readonly name = "FaultError";
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(operation: FaultyOperation | "connection", code: ErrorCode = "backend", retryable = true) {
    super(`planned failure (${operation})`);
    this.code = code;
    this.retryable = retryable;
  }
}
