/**
 * Finds the message that kills the process, and spares its neighbours: what was delivered as often as is allowed without a failure seen
 * here is handled alone, one at a time, until a message comes that is above suspicion.
 */
/** `fine`: as any other. `alone`: on probation. `suspect`: it cannot be handled alone here. `dead-letter`: not handled at all. */
export type Verdict = "fine" | "alone" | "suspect" | "dead-letter";

export class Probation {
  readonly #maxDeliveries: number | undefined;
  readonly #unhandledAbove: number;
  readonly #isPush: boolean;
  #isOn = false;
  #wasOn = false;

  /** `countsGivenBack`: the broker counts what was given back unread, so that a count says less. */
  constructor(maxDeliveries: number | undefined, countsGivenBack: boolean, isPush: boolean) {
    this.#maxDeliveries = maxDeliveries;
    this.#unhandledAbove =
      maxDeliveries === undefined ? Number.POSITIVE_INFINITY : countsGivenBack ? 2 * maxDeliveries + 10 : maxDeliveries + 1;
    this.#isPush = isPush;
  }

  /** One message at a time. */
  get isOn(): boolean {
    return this.#isOn;
  }
  /** The verdict just given was the first of its kind. */
  get begins(): boolean {
    return this.#isOn && !this.#wasOn;
  }
  /** The verdict just given ends a probation. */
  get ends(): boolean {
    return !this.#isOn && this.#wasOn;
  }

  /** So often delivered that it is not handled any more. */
  isPoison(count: number): boolean {
    return !this.#isPush && count > this.#unhandledAbove;
  }

  /** `count`: deliveries, this one included. `failedHere`: it was handled here, and failed: it does not kill. */
  judge(count: number, failedHere: boolean): Verdict {
    const max = this.#maxDeliveries;
    this.#wasOn = this.#isOn;
    if (max === undefined) return "fine";
    if (count < max) {
      this.#isOn = false;
      return "fine";
    }
    if (failedHere) return "fine";
    if (this.#isPush) return "suspect";
    if (this.isPoison(count)) return "dead-letter";
    this.#isOn = true;
    return "alone";
  }
}
