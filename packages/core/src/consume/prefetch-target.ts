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
  #taken = 0;

  /** `adaptive: false`: always `max`. */
  constructor(max: number, adaptive: boolean) {
    this.#max = max;
    this.#target = adaptive ? Math.min(max, FIRST_TARGET) : max;
    if (!adaptive) this.#sinceMs = Number.POSITIVE_INFINITY;
  }

  get messages(): number {
    return this.#target;
  }

  noteTaken(): void {
    this.#taken += 1;
  }

  /** Before reading more: `left` messages wait. */
  adapt(left: number, nowMs: number): void {
    const sinceMs = this.#sinceMs;
    if (sinceMs === Number.POSITIVE_INFINITY) return;
    if (left === 0) {
      this.#target = Math.min(this.#max, this.#target * 2);
    } else if (sinceMs !== undefined && nowMs > sinceMs && this.#taken > 0) {
      const pace = this.#taken / (nowMs - sinceMs);
      this.#target = Math.max(1, Math.min(this.#max, Math.ceil(pace * AIM_MS)));
    }
    this.#sinceMs = nowMs;
    this.#taken = 0;
  }
}
