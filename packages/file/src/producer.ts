/** One producer: it hands batches to the file's writer, which all producers of the process share. */
import type { CallOptions, Clock, DriverProducer, OutgoingMessage, SendOutcome } from "@seaway/core/driver";
import type { BatchOptions } from "./encode-batch.ts";
import type { FileWriter } from "./file-writer.ts";
import type { FileSettings } from "./options.ts";

export class FileProducer implements DriverProducer {
  readonly limits: DriverProducer["limits"] = { batchMessages: 10_000, batchBytes: 8 * 1024 * 1024, batchesInFlight: 2 };
  readonly #writer: FileWriter;
  readonly #settings: FileSettings;
  readonly #clock: Clock;

  constructor(writer: FileWriter, settings: FileSettings, clock: Clock) {
    this.#writer = writer;
    this.#settings = settings;
    this.#clock = clock;
    writer.producers += 1;
  }

  send(batch: readonly OutgoingMessage[], { signal }: CallOptions): Promise<readonly SendOutcome[]> {
    const sent = this.#writer.append(batch, this.#options());
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
    writer.producers -= 1;
    if (this.#settings.endWithEos) writer.endsWithEos = true;
    if (writer.producers === 0 && writer.endsWithEos && !writer.isGone) await writer.appendEos(this.#options());
  }

  #options(): BatchOptions {
    const { sizeLimit, endWithEos } = this.#settings;
    return { nowMs: this.#clock.now(), sizeLimit, endWithEos };
  }
}
