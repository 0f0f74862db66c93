/** The ways in which a send's outcome is told: a promise, a count of failures, an array, a tally. */
import { isStreamError, StreamError } from "../error/stream-error.ts";
import type { SendSink, SendTicket } from "./pending-send.ts";
import type { Receipt } from "./receipt.ts";

/** How many causes an error about many messages carries. */
const CAUSES_KEPT = 10;

/** `send`: the promise's two ends are on the message itself. */
export const promiseSink: SendSink = {
  wantsReceipt: true,
  stored: (ticket, receipt) => ticket.resolve?.(receipt),
  failed: (ticket, error) => ticket.reject?.(error),
};

/** `enqueue`, `pipeFrom` and `writable`: how many were sent, how many failed, and why the first ones did. */
export class TallySink implements SendSink {
  readonly wantsReceipt = false;
  failures = 0;
  #causes: Error[] = [];
  #retryable = true;

  stored(): void {}

  failed(_ticket: SendTicket | undefined, error: Error): void {
    this.failures += 1;
    this.#retryable &&= isStreamError(error) && error.retryable;
    if (this.#causes.length < CAUSES_KEPT) this.#causes.push(error);
  }

  /** One error for all failures since the last call, or undefined. */
  takeError(): StreamError | undefined {
    const [first] = this.#causes;
    if (first === undefined) return undefined;
    const count = this.failures;
    const causes = this.#causes;
    const known = isStreamError(first) ? first : undefined;
    const text = known === undefined ? first.message : known.message.slice(known.code.length + 2);
    const error = new StreamError(
      known?.code ?? "encode-failed",
      count === 1 ? text : `${count} messages were not stored, the first because: ${text}`,
      {
        retryable: this.#retryable,
        cause: count === 1 ? first : new AggregateError(causes, `the first ${causes.length} of ${count} failures`),
        backend: known?.backend,
        streamKey: known?.streamKey,
      },
    );
    this.failures = 0;
    this.#causes = [];
    this.#retryable = true;
    return error;
  }
}

/** Holds the place of a result that is not there yet; nobody sees it. */
const OPEN: PromiseSettledResult<Receipt> = { status: "rejected", reason: undefined };

/** `sendMany`: a result for each message, at its index. */
export class ArraySink implements SendSink {
  readonly wantsReceipt = true;
  readonly results: PromiseSettledResult<Receipt>[] = [];
  #open = 0;
  #complete: PromiseWithResolvers<void> | undefined;

  /** The index of a message about to be sent. */
  reserve(): number {
    const index = this.results.length;
    this.results.push(OPEN);
    this.#open += 1;
    return index;
  }

  stored(ticket: SendTicket, receipt: Receipt): void {
    this.#settle(ticket.index, { status: "fulfilled", value: receipt });
  }

  failed(ticket: Pick<SendTicket, "index">, error: Error): void {
    this.#settle(ticket.index, { status: "rejected", reason: error });
  }

  #settle(index: number, result: PromiseSettledResult<Receipt>): void {
    this.results[index] = result;
    this.#open -= 1;
    if (this.#open === 0) this.#complete?.resolve();
  }

  /** Resolves when every reserved index has its result. */
  async complete(): Promise<PromiseSettledResult<Receipt>[]> {
    if (this.#open > 0) {
      this.#complete = Promise.withResolvers();
      await this.#complete.promise;
    }
    return this.results;
  }
}
