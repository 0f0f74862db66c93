/** A consumer as an async iterator and as a web stream: both end with the consumer, and release it when they are left. */
import { isStreamError } from "../error/stream-error.ts";
import type { Message } from "../message/message.ts";

/** What iterating needs of a consumer. */
export interface MessageSource<T> {
  /** The next message at once if it is there, else a promise. */
  read(): Message<T> | Promise<Message<T>>;
  /** The reader is done with it. Called once. */
  release(): void;
}

/** Whether this is how a stream comes to its end, rather than a failure. */
function isEnd(error: unknown): boolean {
  return isStreamError(error, "stream-ended") || isStreamError(error, "closed");
}

/**
 * An iterator without a generator: `next` of a generator costs three promises a message, this one costs one. Calls of `next` before the
 * last one settled are served in order.
 */
export class MessageIterator<T> implements AsyncIterableIterator<Message<T>, undefined, undefined> {
  readonly #source: MessageSource<T>;
  #done = false;

  constructor(source: MessageSource<T>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<Message<T>, undefined>> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    try {
      const read = this.#source.read();
      if (!(read instanceof Promise)) return Promise.resolve({ done: false, value: read });
      return read.then(
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
    this.#source.release();
  }

  #fail(error: unknown): IteratorResult<Message<T>, undefined> {
    this.#finish();
    if (isEnd(error)) return { done: true, value: undefined };
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
