/** What `flush` waits for: the messages sent since the flush before it. */

export class FlushMark {
  #open = 0;
  #settled: PromiseWithResolvers<void> | undefined;

  /** Messages not settled yet. */
  get open(): number {
    return this.#open;
  }

  add(): void {
    this.#open += 1;
  }

  done(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#settled?.resolve();
  }

  /** Resolves when none is open; asked only after the last {@link add}. */
  settled(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    this.#settled ??= Promise.withResolvers();
    return this.#settled.promise;
  }
}
