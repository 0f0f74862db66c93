/** From what a driver received to what a program gets: values are decoded batch by batch, before they are handed over. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import { StreamError } from "../error/stream-error.ts";
import type { Decoder } from "../message/codec.ts";
import { Message, RAW, type Settler } from "../message/message.ts";

/** A message that could not be read or decoded, and why; it keeps its place among the good ones. */
export class Undecodable {
  readonly message: Message<unknown>;
  readonly error: StreamError;
  constructor(message: Message<unknown>, error: StreamError) {
    this.message = message;
    this.error = error;
  }
}

export type Decoded<T> = Message<T> | Undecodable;

export interface DecoderOptions<T> {
  readonly codec: Decoder<T> | undefined;
  readonly maxMessageBytes: number | undefined;
  readonly backend: string;
  readonly settler: Settler;
}

export class BatchDecoder<T> {
  readonly #options: DecoderOptions<T>;

  constructor(options: DecoderOptions<T>) {
    this.#options = options;
  }

  /** Decodes in order; a promise only when the codec gave one. */
  decode(batch: readonly IncomingMessage[]): Decoded<T>[] | Promise<Decoded<T>[]> {
    const { codec, maxMessageBytes, settler } = this.#options;
    const out: (Decoded<T> | Promise<Decoded<T>>)[] = new Array(batch.length);
    let late = false;
    for (let i = 0; i < batch.length; i++) {
      const incoming = batch[i] as IncomingMessage;
      if (incoming.malformed !== undefined) {
        out[i] = this.#undecodable(incoming, "corrupt-data", incoming.malformed);
      } else if (maxMessageBytes !== undefined && incoming.size > maxMessageBytes) {
        out[i] = this.#undecodable(
          incoming,
          "message-too-large",
          new Error(`the payload has ${incoming.size} bytes, maxMessageBytes is ${maxMessageBytes}`),
        );
      } else if (codec === undefined) {
        out[i] = new Message<T>(incoming, RAW, settler);
      } else {
        const one = this.#decodeOne(codec, incoming);
        if (one instanceof Promise) late = true;
        out[i] = one;
      }
    }
    return late ? Promise.all(out) : (out as Decoded<T>[]);
  }

  #decodeOne(codec: Decoder<T>, incoming: IncomingMessage): Decoded<T> | Promise<Decoded<T>> {
    const { settler } = this.#options;
    try {
      const message = new Message<T>(incoming, RAW, settler);
      const value = codec.decode(incoming.payload, message);
      if (!(value instanceof Promise)) return message.decodedAs(value);
      return value.then(
        (decoded) => message.decodedAs(decoded),
        (error: unknown) => this.#undecodable(incoming, "decode-failed", error),
      );
    } catch (error) {
      return this.#undecodable(incoming, "decode-failed", error);
    }
  }

  #undecodable(incoming: IncomingMessage, code: "decode-failed" | "corrupt-data" | "message-too-large", cause: unknown): Undecodable {
    const { backend, settler } = this.#options;
    const where = `stream "${incoming.streamKey}", shard ${incoming.shardId}, sequence ${incoming.sequence}`;
    const text = cause instanceof Error ? cause.message : String(cause);
    const error = new StreamError(code, `${where}: ${text}; reading goes on after it, or see onDecodeError`, {
      cause,
      backend,
      streamKey: incoming.streamKey,
      retryable: false,
    });
    return new Undecodable(new Message<unknown>(incoming, RAW, settler), error);
  }
}
