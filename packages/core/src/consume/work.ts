/** One call of a run's handler. */
import { StreamError } from "../error/stream-error.ts";
import { Message } from "../message/message.ts";
import type { LossListener } from "./delivery.ts";
import type { HandlerContext } from "./run-options.ts";

/** One call of the handler, with one message or a batch. */
export class Work<T> implements HandlerContext, LossListener {
  readonly messages: readonly Message<T>[] | Message<T>;
  readonly startedMs: number;
  /** It timed out: what it still does is ignored. */
  isOver = false;
  #controller: AbortController | undefined;
  #abortReason: unknown;

  constructor(messages: readonly Message<T>[] | Message<T>, startedMs: number) {
    this.messages = messages;
    this.startedMs = startedMs;
  }

  /** Made when a handler asks for it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  each(visit: (message: Message<T>) => void): void {
    if (this.messages instanceof Message) visit(this.messages);
    else for (const message of this.messages) visit(message);
  }

  /** Its message, or one of them, went to another consumer. */
  lost(): void {
    this.abort(new StreamError("aborted", "the message is no longer this consumer's"));
  }

  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }
}
