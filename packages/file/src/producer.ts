/** One producer: it hands batches to the file's writer, which all producers of the process share. */
import type { CallOptions, Clock, DriverProducer, OutgoingMessage, SendOutcome } from "@seaway/core/driver";
import type { BatchOptions } from "./encode-batch.ts";
import { missingStream } from "./errors.ts";
import type { FileWriter } from "./file-writer.ts";
import type { FileSettings } from "./options.ts";

export class FileProducer implements DriverProducer {
  readonly limits: DriverProducer["limits"] = { batchMessages: 10_000, batchBytes: 8 * 1024 * 1024, batchesInFlight: 2 };
  readonly #path: string;
  readonly #findWriter: () => FileWriter | undefined;
  readonly #settings: FileSettings;
  readonly #clock: Clock;
  #writer: FileWriter | undefined;

  /** `findWriter`: the file's writer, which is there once a stream was ensured; not before, so that nothing is made unasked. */
  constructor(path: string, findWriter: () => FileWriter | undefined, settings: FileSettings, clock: Clock) {
    this.#path = path;
    this.#findWriter = findWriter;
    this.#settings = settings;
    this.#clock = clock;
    this.#join();
  }

  send(batch: readonly OutgoingMessage[], { signal }: CallOptions): Promise<readonly SendOutcome[]> {
    const writer = this.#join();
    if (writer === undefined) {
      return Promise.resolve(batch.map(({ streamKey }) => ({ stored: false, error: missingStream(streamKey, this.#path) })));
    }
    const sent = writer.append(batch, this.#options());
    return new Promise((resolve, reject) => {
      // A disk that hangs cannot be called back: what it will have done is not known.
      const onAbort = (): void => resolve(batch.map(() => ({ stored: "unknown", error: signal.reason })));
      const end = (): void => signal.removeEventListener("abort", onAbort);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      sent.then(resolve, reject).finally(end);
    });
  }

  async close(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    writer.producers -= 1;
    if (this.#settings.endWithEos) writer.endsWithEos = true;
    if (writer.producers === 0 && writer.endsWithEos && !writer.isGone) await writer.appendEos(this.#options());
  }

  /** Counts it among those of the writer, once there is one. */
  #join(): FileWriter | undefined {
    if (this.#writer !== undefined) return this.#writer;
    this.#writer = this.#findWriter();
    if (this.#writer !== undefined) this.#writer.producers += 1;
    return this.#writer;
  }

  #options(): BatchOptions {
    const { sizeLimit, endWithEos } = this.#settings;
    return { nowMs: this.#clock.now(), sizeLimit, endWithEos };
  }
}
