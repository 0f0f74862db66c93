/**
 * Keeps deliveries ours while they wait or are worked on: what has used half of its lease is extended, together. What the broker says is
 * gone, or what no extension reached for a whole lease by the local clock, is lost. Where ownership is by shard there is no lease, and
 * only what is held for too long is looked for.
 */
import type { DriverConsumer, SettleOutcome } from "../driver/driver-consumer.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import type { Delivery } from "./delivery.ts";
import type { LiveList } from "./live-list.ts";

export interface LeaseKeeperOptions {
  readonly driver: DriverConsumer;
  /** Undefined: what is ours stays ours. */
  readonly leaseMs: number | undefined;
  /** How long a message may be held. */
  readonly keepAliveMs: number;
  /** Whether that holds now. */
  limitsHeld(): boolean;
  readonly live: LiveList;
  readonly clock: Clock;
  readonly wrapper: ErrorWrapper;
  publish(event: StreamerEvent): void;
  lost(deliveries: readonly Delivery[], why: string, error: StreamError | undefined): void;
  heldTooLong(deliveries: readonly Delivery[]): void;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #leaseMs: number;
  readonly #tickMs: number;
  #timer: Timer | undefined;
  #dueMs = 0;
  #extending = false;
  #stopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? Number.POSITIVE_INFINITY;
    this.#tickMs = Math.max(1, Math.floor((options.leaseMs ?? options.keepAliveMs) / 4));
  }

  /** To be called when something became live. */
  start(): void {
    if (this.#timer === undefined && !this.#stopped) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** By the local clock, which is the only sign while the broker is out of reach. */
  isExpired(delivery: Delivery, nowMs: number): boolean {
    return nowMs - delivery.leasedAtMs >= this.#leaseMs;
  }

  /** Extends one at once, because the program says that it works on it. */
  extendNow(delivery: Delivery): void {
    if (this.#leaseMs !== Number.POSITIVE_INFINITY && !this.#stopped) void this.#extend([delivery]);
  }

  #arm(): void {
    this.#dueMs = this.#options.clock.monotonic() + this.#tickMs;
    this.#timer = this.#options.clock.setTimer(() => this.#tick(), this.#tickMs, { background: true });
  }

  #tick(): void {
    this.#timer = undefined;
    const { live, clock, publish, lost, heldTooLong } = this.#options;
    const leaseMs = this.#leaseMs;
    const nowMs = clock.monotonic();
    const lateMs = Math.round(nowMs - this.#dueMs);
    if (lateMs > leaseMs / 2) {
      const message = `the event loop stood still for ${lateMs} ms, more than half of the ${leaseMs} ms for which messages are leased; what that cost is not acked`;
      publish({ code: "event-loop-stalled", level: "warn", message, count: lateMs });
    }
    const { expired, tooLong, due } = this.#sort(nowMs);
    if (expired.length > 0) lost(expired, `its lease of ${leaseMs} ms passed without word from the broker`, undefined);
    if (tooLong.length > 0) heldTooLong(tooLong);
    if (due.length > 0 && !this.#extending) {
      this.#extending = true;
      void this.#extend(due).finally(() => {
        this.#extending = false;
      });
    }
    if (live.size > 0 && !this.#stopped) this.#arm();
  }

  #sort(nowMs: number): { expired: Delivery[]; tooLong: Delivery[]; due: Delivery[] } {
    const { live, keepAliveMs } = this.#options;
    const leaseMs = this.#leaseMs;
    const limitMs = this.#options.limitsHeld() ? keepAliveMs : Number.POSITIVE_INFINITY;
    const expired: Delivery[] = [];
    const tooLong: Delivery[] = [];
    const due: Delivery[] = [];
    for (const delivery of live) {
      const ageMs = nowMs - delivery.leasedAtMs;
      if (ageMs >= leaseMs) expired.push(delivery);
      else if (delivery.state === "held" && nowMs - delivery.handedAtMs >= limitMs) tooLong.push(delivery);
      else if (ageMs >= leaseMs / 2) due.push(delivery);
    }
    return { expired, tooLong, due };
  }

  /** Given up after a quarter of the lease, so that there is time for another try. */
  async #extend(deliveries: readonly Delivery[]): Promise<void> {
    const { driver, clock, wrapper, publish } = this.#options;
    const nowMs = clock.monotonic();
    const heard = (outcomes: readonly SettleOutcome[]): void => this.#extended(deliveries, outcomes, nowMs);
    try {
      const settlements = deliveries.map(({ incoming }) => ({ kind: "extend", token: incoming.token }) as const);
      const work = withDeadline(
        { clock, timeoutMs: this.#tickMs, what: "extending leases" },
        (call) => driver.settle(settlements, { ...call, confirm: false }),
        heard,
      );
      heard(await work);
    } catch (error) {
      if (this.#stopped) return;
      const wrapped = wrapper.wrap(error, { what: "extending leases" });
      publish({
        code: "extend-failed",
        level: "warn",
        message: `leases could not be extended, it is tried again: ${wrapped.message}`,
        error: wrapped,
      });
    }
  }

  #extended(deliveries: readonly Delivery[], outcomes: readonly SettleOutcome[], nowMs: number): void {
    const gone: Delivery[] = [];
    deliveries.forEach((delivery, i) => {
      if (delivery.state === "settled" || delivery.state === "lost") return;
      if (outcomes[i] === "done") delivery.leasedAtMs = Math.max(delivery.leasedAtMs, nowMs);
      // Of what is being settled the answer to that will say whether it still was ours.
      else if (outcomes[i] === "lost" && delivery.state !== "settling") gone.push(delivery);
    });
    if (gone.length > 0) this.#options.lost(gone, "the broker gave it to another consumer", undefined);
  }
}
