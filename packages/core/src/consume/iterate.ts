/** A consumer as an async iterator and as a web stream: both end with the consumer, and release it when they are left. */
import { isStreamError } from "../error/stream-error.ts";
import type { Message } from "../message/message.ts";

/** What iterating needs of a consumer. */
export interface MessageSource<T> {
  /** The next message, if it is there; throws what reading failed with. */
  tryRead(): Message<T> | undefined;
  /** Waits for the next message; aborted, it leaves that message to the next reader. */
  read(signal: AbortSignal): Promise<Message<T>>;
  /** The reader is done with it. Called once. */
  release(): void;
}

/** What `stream()` gives: to be looped over, or used with `await using`. */
export interface MessageStream<T> extends AsyncIterableIterator<Message<T>, undefined, undefined>, AsyncDisposable {
  [Symbol.asyncIterator](): MessageStream<T>;
}

/** Whether this is how a stream comes to its end, rather than a failure. */
function isEnd(error: unknown): boolean {
  return isStreamError(error, "stream-ended") || isStreamError(error, "closed");
}

/**
 * An iterator without a generator: `next` of a generator costs three promises a message, this one costs one. Calls of `next` before the
 * last one settled are served in order.
 */
export class MessageIterator<T> implements MessageStream<T> {
  readonly #source: MessageSource<T>;
  /** Ends the reads that wait, when the iterator is left. */
  #leaving: AbortController | undefined;
  #done = false;

  constructor(source: MessageSource<T>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<Message<T>, undefined>> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    try {
      const message = this.#source.tryRead();
      if (message !== undefined) return Promise.resolve({ done: false, value: message });
      this.#leaving ??= new AbortController();
      return this.#source.read(this.#leaving.signal).then(
        (value) => ({ done: false, value }),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      return Promise.resolve().then(() => this.#fail(error));
    }
  }

  return(): Promise<IteratorResult<Message<T>, undefined>> {
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error?: unknown): Promise<IteratorResult<Message<T>, undefined>> {
    this.#finish();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#leaving?.abort();
    this.#source.release();
  }

  #fail(error: unknown): IteratorResult<Message<T>, undefined> {
    const wasLeft = this.#done;
    this.#finish();
    if (wasLeft || isEnd(error)) return { done: true, value: undefined };
    throw error;
  }
}

/** A web stream that reads nothing ahead: its high-water mark is 0. */
export function readableFrom<T>(source: MessageSource<T>): ReadableStream<Message<T>> {
  const iterator = new MessageIterator(source);
  return new ReadableStream<Message<T>>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return();
      },
    },
    { highWaterMark: 0 },
  );
}
