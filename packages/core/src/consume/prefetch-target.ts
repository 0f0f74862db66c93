/**
 * How far to read ahead: about two seconds of the program's work, so that a fast one never waits and a slow one hoards nothing from its
 * fellows. It grows while the buffer runs empty and follows the measured pace while it does not.
 */

const AIM_MS = 2000;
const FIRST_TARGET = 16;

export class PrefetchTarget {
  readonly #max: number;
  #target: number;
  #sinceMs: number | undefined;
  #takenBefore = 0;

  /** `adaptive: false`: always `max`. */
  constructor(max: number, adaptive: boolean) {
    this.#max = max;
    this.#target = adaptive ? Math.min(max, FIRST_TARGET) : max;
    if (!adaptive) this.#sinceMs = Number.POSITIVE_INFINITY;
  }

  get messages(): number {
    return this.#target;
  }

  /** Before reading more: `left` messages wait, `taken` were ever taken. */
  adapt(left: number, taken: number, nowMs: number): void {
    const sinceMs = this.#sinceMs;
    if (sinceMs === Number.POSITIVE_INFINITY) return;
    const since = taken - this.#takenBefore;
    if (left === 0) {
      // Where nothing was there to be read, more room would only hoard what comes at once later.
      if (since >= this.#target || sinceMs === undefined) this.#target = Math.min(this.#max, this.#target * 2);
    } else if (sinceMs !== undefined && nowMs > sinceMs && since > 0) {
      const pace = since / (nowMs - sinceMs);
      this.#target = Math.max(1, Math.min(this.#max, Math.ceil(pace * AIM_MS)));
    }
    this.#sinceMs = nowMs;
    this.#takenBefore = taken;
  }
}
