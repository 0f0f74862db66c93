/** What is to be told to the broker about deliveries, gathered and sent in batches: at each interval, at a thousand, on commit and close. */
import type { DriverConsumer, Settlement, SettleOutcome } from "../driver/driver-consumer.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import { backoffDelayMs } from "../time/backoff.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import { Delivery } from "./delivery.ts";
import type { PositionTracker } from "./position-tracker.ts";

/** What is told at once: at each index a settlement, and what it settles: one delivery, or with a committed position many. */
interface Round {
  readonly settlements: Settlement[];
  readonly covered: (Delivery | readonly Delivery[])[];
}

/** Whether it may be told twice: an unknown outcome may still happen, and a nak or a release told late would take the message from another. */
function mayRepeat({ kind }: Settlement): boolean {
  return kind === "ack" || kind === "ack-through";
}

export interface CommitQueueOptions {
  readonly driver: DriverConsumer;
  /** For backends that commit positions. */
  readonly tracker: PositionTracker | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  /** 0: only when told to. */
  readonly intervalMs: number;
  /** How long one round may take, ms. */
  readonly timeoutMs: number;
  /** Whether the delivery is still ours; it is taken off if not. */
  stillOurs(delivery: Delivery, nowMs: number): boolean;
  settled(delivery: Delivery): void;
  /** A round in the background failed for good: see {@link CommitQueue.takeFailure}. */
  onFailure(): void;
  /** The broker says that it was not ours any more, or it could not be told: the message will come again. */
  lost(deliveries: readonly Delivery[], why: string, error: StreamError | undefined): void;
}

/** Acks that are sent without waiting for the interval. */
const FLUSH_AT = 1000;
const RETRY_BACKOFF = { firstMs: 100, maxMs: 2000 };

export class CommitQueue {
  readonly #options: CommitQueueOptions;
  /** Acks; the great many. */
  #acked: Delivery[] = [];
  /** Naks and terms. */
  #others: { readonly settlement: Settlement; readonly covered: Delivery }[] = [];
  /** Acks of a backend that commits positions, since the last round. */
  #acks = 0;
  #timer: Timer | undefined;
  #scheduled = false;
  #attempts = 0;
  /** The round under way; rounds follow one another, so that settlements keep their order. */
  #round: Promise<void> = Promise.resolve();
  /** A commit that was asked for and has not begun. */
  #asked: Promise<void> | undefined;
  #failure: StreamError | undefined;
  #stopped = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#acked.length + this.#others.length + this.#acks;
  }

  /** An ack; it may wait for the interval. */
  ack(delivery: Delivery): void {
    if (this.#options.tracker !== undefined) this.#acks += 1;
    else this.#acked.push(delivery);
    this.#later();
  }

  /** It will not be worked on; it may wait for the interval. */
  term(delivery: Delivery, reason: string | undefined): void {
    if (this.#options.tracker !== undefined) this.#acks += 1;
    else this.#others.push({ settlement: { kind: "term", token: delivery.incoming.token, reason }, covered: delivery });
    this.#later();
  }

  /** A nak that the broker carries out: its delay begins when it arrives, so it does not wait. */
  nak(delivery: Delivery, delayMs: number): void {
    this.#others.push({ settlement: { kind: "nak", token: delivery.incoming.token, delayMs }, covered: delivery });
    this.#soon();
  }

  #later(): void {
    const { intervalMs, clock } = this.#options;
    if (intervalMs === 0 || this.#stopped) return;
    if (this.size >= FLUSH_AT) this.#soon();
    else this.#timer ??= clock.setTimer(() => this.#background(), intervalMs);
  }

  /** Why the last round in the background failed; told once. */
  takeFailure(): StreamError | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /**
   * Tells the broker all that is pending, and resolves when it has it. Tries again while the failure is a passing one and time is left;
   * then rejects, and what could not be told is lost: it comes again. A caller who gives up gives up waiting, and no ack.
   */
  commit(signal?: AbortSignal): Promise<void> {
    // Whoever asks before a round has begun is served by it, and hears the same.
    this.#asked ??= this.#next(() => {
      this.#asked = undefined;
      return this.#commitNow();
    });
    const asked = this.#asked;
    if (signal === undefined) return asked;
    // With the signal aborted already, nobody else hears of a failure.
    asked.catch(() => undefined);
    return withDeadline({ clock: this.#options.clock, signal, what: "committing" }, () => asked);
  }

  async #commitNow(): Promise<void> {
    const { clock, random, timeoutMs } = this.#options;
    const untilMs = clock.monotonic() + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      const error = await this.#tell(true);
      if (error === undefined) return;
      const delayMs = backoffDelayMs(RETRY_BACKOFF, attempt, random);
      if (!error.retryable || this.#stopped || clock.monotonic() + delayMs > untilMs) {
        this.#giveUp(error);
        throw error;
      }
      await new Promise<void>((resolve) => void clock.setTimer(resolve, delayMs));
    }
  }

  /** Takes off everything that is pending, untold. */
  drop(): Delivery[] {
    return this.#takeAll(this.#options.clock.monotonic()).covered.flat();
  }

  /** From now on nothing is told of itself or tried again, and no timer is left. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Resolves when no round is under way; rejects when the caller gives up waiting. */
  idle(signal?: AbortSignal): Promise<void> {
    const round = this.#round;
    if (signal === undefined) return round;
    return withDeadline({ clock: this.#options.clock, signal, what: "committing" }, () => round);
  }

  #soon(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#background();
    });
  }

  #background(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#stopped) return;
    const { clock, random } = this.#options;
    void this.#next(async () => {
      const error = await this.#tell(false);
      if (error === undefined) {
        this.#attempts = 0;
      } else if (error.retryable) {
        // Until the leases are over: then stillOurs takes them off.
        this.#attempts += 1;
        if (!this.#stopped) this.#timer ??= clock.setTimer(() => this.#background(), backoffDelayMs(RETRY_BACKOFF, this.#attempts, random));
      } else {
        this.#failure ??= error;
        this.#giveUp(error);
        this.#options.onFailure();
      }
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const round = this.#round.catch(() => {}).then(work);
    this.#round = round.catch(() => {});
    return round;
  }

  /** Everything that is pending, except what is no longer ours. */
  #takeAll(nowMs: number): Round {
    const { tracker, stillOurs, driver } = this.#options;
    const leaseMs = driver.leaseMs ?? Number.POSITIVE_INFINITY;
    const round: Round = { settlements: [], covered: [] };
    for (const { settlement, covered } of this.#others) {
      if (!stillOurs(covered, nowMs)) continue;
      round.settlements.push(settlement);
      round.covered.push(covered);
    }
    for (const delivery of this.#acked) {
      // Most are fresh, and found so without a call.
      if ((nowMs - delivery.leasedAtMs >= leaseMs || delivery.state === "lost") && !stillOurs(delivery, nowMs)) continue;
      round.settlements.push({ kind: "ack", token: delivery.incoming.token });
      round.covered.push(delivery);
    }
    this.#others = [];
    this.#acked = [];
    if (tracker !== undefined) {
      this.#acks = 0;
      for (const { last, covered } of tracker.advance()) {
        round.settlements.push({ kind: "ack-through", token: last.incoming.token });
        round.covered.push(covered);
      }
    }
    return round;
  }

  /** One try. What could not be told for now is pending again; the first such error is returned. */
  async #tell(confirm: boolean): Promise<StreamError | undefined> {
    const { driver, clock, timeoutMs, wrapper, settled, lost } = this.#options;
    const { settlements, covered } = this.#takeAll(clock.monotonic());
    if (settlements.length === 0 && !confirm) return undefined;
    let outcomes: readonly SettleOutcome[] | undefined;
    let failed: StreamError | undefined;
    try {
      outcomes = await withDeadline({ clock, timeoutMs, what: "settling" }, (call) => driver.settle(settlements, { ...call, confirm }));
    } catch (error) {
      failed = wrapper.wrap(error, { what: "settling" });
    }
    const again: Delivery[] = [];
    for (let i = 0; i < covered.length; i++) {
      const what = covered[i] as Delivery | readonly Delivery[];
      const outcome = outcomes?.[i];
      if (outcome === "done") {
        if (what instanceof Delivery) settled(what);
        else for (const delivery of what) settled(delivery);
      } else if (outcome === "lost") lost(listOf(what), "its lease had passed when it was settled", undefined);
      else {
        if (typeof outcome === "object") failed ??= wrapper.wrap(outcome.error, { what: "settling" });
        if (!(what instanceof Delivery)) this.#restore(what);
        else if (mayRepeat(settlements[i] as Settlement)) again.push(what);
        else lost([what], "the broker could not be told of its nak or term", failed);
      }
    }
    if (again.length > 0) this.#acked = [...again, ...this.#acked];
    return failed;
  }

  #restore(covered: readonly Delivery[]): void {
    this.#options.tracker?.restore(covered);
    this.#acks += covered.length;
  }

  #giveUp(error: StreamError): void {
    const all = this.#takeAll(this.#options.clock.monotonic()).covered.flat();
    if (all.length > 0) this.#options.lost(all, "the broker could not be told that it was settled", error);
  }
}

function listOf(covered: Delivery | readonly Delivery[]): readonly Delivery[] {
  return covered instanceof Delivery ? [covered] : covered;
}
