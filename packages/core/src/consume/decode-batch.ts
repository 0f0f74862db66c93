/** From what a driver received to what a program gets: values are decoded batch by batch, before they are handed over. */
import type { IncomingMessage } from "../driver/driver-consumer.ts";
import type { ErrorCode } from "../error/error-code.ts";
import { StreamError } from "../error/stream-error.ts";
import type { Decoder } from "../message/codec.ts";
import { Message, RAW, type Settler } from "../message/message.ts";

export interface DecoderOptions<T> {
  readonly codec: Decoder<T> | undefined;
  readonly maxMessageBytes: number | undefined;
  readonly backend: string;
}

export class BatchDecoder<T> {
  readonly #options: DecoderOptions<T>;

  constructor(options: DecoderOptions<T>) {
    this.#options = options;
  }

  /** Whether values need no codec, so that a message can be made when it is taken. */
  get isLazy(): boolean {
    return this.#options.codec === undefined;
  }

  /** One message of a lazy decoder. */
  make(incoming: IncomingMessage, settler: Settler): Message<T> {
    const { maxMessageBytes } = this.#options;
    const message = new Message<T>(incoming, RAW, settler, undefined);
    if (incoming.malformed !== undefined) this.#blame(message, "corrupt-data", incoming.malformed);
    else if (maxMessageBytes !== undefined && incoming.size > maxMessageBytes) this.#blameSize(message, maxMessageBytes);
    return message;
  }

  /**
   * Decodes in order; a promise only when the codec gave one. What cannot be decoded keeps its place among the good ones, with its
   * `fault`. `settlerOf` is asked once for each, in order.
   */
  decode(batch: readonly IncomingMessage[], settlerOf: (incoming: IncomingMessage) => Settler): Message<T>[] | Promise<Message<T>[]> {
    const { codec } = this.#options;
    const out: Message<T>[] = new Array(batch.length);
    let late: Promise<void>[] | undefined;
    for (let i = 0; i < batch.length; i++) {
      const incoming = batch[i] as IncomingMessage;
      const message = this.make(incoming, settlerOf(incoming));
      out[i] = message;
      if (codec !== undefined && message.fault === undefined) {
        const decoding = this.#decodeInto(message, codec);
        if (decoding !== undefined) {
          late ??= [];
          late.push(decoding);
        }
      }
    }
    return late === undefined ? out : Promise.all(late).then(() => out);
  }

  #decodeInto(message: Message<T>, codec: Decoder<T>): Promise<void> | undefined {
    try {
      const value = codec.decode(message.payload, message);
      if (!(value instanceof Promise)) {
        message.decodedAs(value);
        return undefined;
      }
      return value.then(
        (decoded) => void message.decodedAs(decoded),
        (error: unknown) => this.#blame(message, "decode-failed", error),
      );
    } catch (error) {
      this.#blame(message, "decode-failed", error);
      return undefined;
    }
  }

  #blameSize(message: Message<T>, maxMessageBytes: number): void {
    this.#blame(message, "message-too-large", new Error(`the payload has ${message.size} bytes, maxMessageBytes is ${maxMessageBytes}`));
  }

  #blame(message: Message<T>, code: ErrorCode, cause: unknown): void {
    const { streamKey, shardId, sequence } = message;
    const text = cause instanceof Error ? cause.message : String(cause);
    const where = `stream "${streamKey}", shard ${shardId}, sequence ${sequence}`;
    message.fault = new StreamError(code, `${where}: ${text}; reading goes on after it, see onDecodeError`, {
      cause,
      backend: this.#options.backend,
      streamKey,
      retryable: false,
    });
  }
}
