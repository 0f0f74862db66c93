/**
 * The book of a grouped consumer: every delivery that is its own, what became of each, and what the broker is told. A redelivery is
 * another entry than its original, so that neither settles the other.
 */
import type { DriverConsumer, IncomingMessage, Settlement } from "../driver/driver-consumer.ts";
import type { Shard } from "../driver/shard.ts";
import type { StreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import { Fifo } from "../message/fifo.ts";
import type { Message } from "../message/message.ts";
import { type SettleTrace, settleChannel } from "../observe/channels.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { AutoCommit } from "./consumer-mode.ts";
import { Delivery, type DeliveryBook } from "./delivery.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LiveList } from "./live-list.ts";
import type { MessageBook } from "./message-book.ts";
import { PositionTracker } from "./position-tracker.ts";
import { RedeliveryQueue } from "./redelivery-queue.ts";

export interface LedgerOptions {
  readonly driver: DriverConsumer;
  readonly autoCommit: AutoCommit;
  readonly autoCommitIntervalMs: number;
  readonly autoCommitDelayMs: number;
  readonly keepAliveMs: number;
  /** Naks by itself what was held for so long; undefined: never. */
  readonly ackTimeoutMs: number | undefined;
  /** Whether the broker redelivers a nak. */
  readonly nativeNak: boolean;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  publish(event: StreamerEvent): void;
  /** Messages that core gives again; before all that is unread. */
  redeliver(messages: readonly Message<unknown>[]): void;
  /** The number of deliveries that are not settled fell. */
  onSettled(): void;
  /** A commit in the background failed for good. */
  onFailure(): void;
}

export class Ledger implements DeliveryBook, MessageBook {
  readonly #options: LedgerOptions;
  readonly #live = new LiveList();
  readonly #commits: CommitQueue;
  readonly #keeper: LeaseKeeper;
  readonly #tracker: PositionTracker | undefined;
  readonly #waiting: RedeliveryQueue<Delivery>;
  /** In the order of handing over, while autoCommit is delayed. */
  readonly #delayed: Fifo<Delivery> = new Fifo();
  #settling = 0;
  /** Monotonic: of {@link ackBeforeNext}, until the next message is handed over; 0: not now. */
  #ackedAtMs = 0;
  #delayTimer: Timer | undefined;
  #ackTimer: Timer | undefined;
  onTerm: MessageBook["onTerm"];
  /** `run` and `relay` settle by themselves: nothing is acked for its age. */
  settlesByHand = false;
  /** A run ends what is held for too long, as a failure that it records. */
  isTimedByRun = false;
  /** Messages on their way back to the broker. */
  #releasing: Promise<void> = Promise.resolve();
  /** `orderBy`: core gives nak'ed messages again whatever the broker can do. */
  nakByCore: boolean;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.nakByCore = !options.nativeNak;
    const { driver, clock, random, wrapper, timeoutMs, autoCommit } = options;
    const tracker = driver.acks === "through" ? new PositionTracker() : undefined;
    this.#tracker = tracker;
    this.#commits = new CommitQueue({
      driver,
      tracker,
      clock,
      random,
      wrapper,
      timeoutMs,
      intervalMs: autoCommit === "disabled" ? 0 : Math.max(1, options.autoCommitIntervalMs),
      stillOurs: (delivery, nowMs) => !this.#loseIfExpired(delivery, nowMs),
      settled: (delivery) => this.#end(delivery, "settled"),
      lost: this.#lose,
      onFailure: options.onFailure,
    });
    this.#keeper = new LeaseKeeper({
      driver,
      leaseMs: driver.leaseMs,
      keepAliveMs: options.keepAliveMs,
      limitsHeld: () => !this.isTimedByRun,
      live: this.#live,
      clock,
      wrapper,
      publish: options.publish,
      lost: this.#lose,
      heldTooLong: (deliveries) => this.#loseHeld(deliveries),
    });
    this.#waiting = new RedeliveryQueue(clock, (due) => this.#giveAgain(due));
  }

  get givesBack(): boolean {
    return this.#tracker === undefined;
  }

  /** Deliveries that the program has not settled. */
  get open(): number {
    return this.#live.size - this.#settling;
  }

  /** A message arrived. */
  admit(incoming: IncomingMessage, leasedAtMs: number): Delivery {
    const delivery = new Delivery(incoming, this, leasedAtMs, incoming.deliveryCount ?? 1, false);
    this.#live.append(delivery);
    this.#tracker?.add(delivery);
    this.#keeper.start();
    return delivery;
  }

  handOver(message: Message<unknown>): boolean {
    const delivery = message.settler as Delivery;
    const { clock, autoCommit, autoCommitDelayMs, ackTimeoutMs } = this.#options;
    // Whole ms: a fraction would be an object of its own on every delivery.
    const nowMs = this.#ackedAtMs === 0 ? Math.floor(clock.monotonic()) : this.#ackedAtMs;
    this.#ackedAtMs = 0;
    if (delivery.state !== "unread" || this.#loseIfExpired(delivery, nowMs)) return false;
    delivery.state = "held";
    delivery.handedAtMs = nowMs;
    delivery.message = message;
    if (autoCommit === "delayed" && !this.settlesByHand) {
      this.#delayed.push(delivery);
      this.#delayTimer ??= clock.setTimer(this.#ackDelayed, autoCommitDelayMs);
    }
    if (ackTimeoutMs !== undefined)
      this.#ackTimer ??= clock.setTimer(this.#nakOverdue, Math.max(1, ackTimeoutMs / 4), { background: true });
    return true;
  }

  ack(delivery: Delivery): boolean {
    if (!this.#maySettle(delivery, this.#options.clock.monotonic())) return false;
    this.#settle(delivery, "ack");
    this.#commits.ack(delivery);
    return true;
  }

  /** Acks what a loop has done with, if it has not settled it itself. The next message is handed over in the same breath. */
  ackBeforeNext(message: Message<unknown>): void {
    const delivery = message.settler as Delivery;
    if (delivery.state !== "held") return;
    const nowMs = this.#options.clock.monotonic();
    if (!this.#maySettle(delivery, nowMs)) return;
    this.#settle(delivery, "ack");
    this.#commits.ack(delivery);
    // One look at the clock serves both.
    this.#ackedAtMs = Math.floor(nowMs);
  }

  /** Nothing was there to be handed over: the time of the ack is of no use any more. */
  endAckBeforeNext(): void {
    this.#ackedAtMs = 0;
  }

  term(delivery: Delivery, reason: string | undefined): boolean {
    if (!this.#maySettle(delivery, this.#options.clock.monotonic())) return false;
    this.#settle(delivery, "term");
    if (this.onTerm !== undefined && delivery.message !== undefined) this.onTerm(delivery.message, reason);
    else this.#commits.term(delivery, reason);
    return true;
  }

  nak(delivery: Delivery, delayMs: number): boolean {
    if (!(delayMs >= 0)) throw new TypeError("delayMs is a number of milliseconds from 0");
    if (!this.#maySettle(delivery, this.#options.clock.monotonic())) return false;
    if (this.nakByCore) {
      if (settleChannel.hasSubscribers) tellSettled(delivery, "nak");
      delivery.state = "waiting";
      this.#waiting.add(delivery, delayMs);
    } else {
      this.#settle(delivery, "nak");
      this.#commits.nak(delivery, delayMs);
    }
    return true;
  }

  extend(delivery: Delivery): boolean {
    if (delivery.state !== "held" || this.#loseIfExpired(delivery, this.#options.clock.monotonic())) return false;
    this.#keeper.extendNow(delivery);
    return true;
  }

  /** Whether a delivery of this id is still with us, or on its way to being settled. */
  holds(shard: Shard, id: string): boolean {
    for (const { incoming } of this.#live) {
      if (incoming.id === id && incoming.shardId === shard.shardId && incoming.streamKey === shard.streamKey) return true;
    }
    return false;
  }

  /** The failure of a background commit, once. */
  takeFailure(): StreamError | undefined {
    return this.#commits.takeFailure();
  }

  commit(signal?: AbortSignal): Promise<void> {
    return this.#commits.commit(signal);
  }

  isLost(message: Message<unknown>): boolean {
    return (message.settler as Delivery).state === "lost";
  }

  isHeld(message: Message<unknown>): boolean {
    return (message.settler as Delivery).state === "held";
  }

  isWaiting(message: Message<unknown>): boolean {
    return (message.settler as Delivery).state === "waiting";
  }

  reopen(message: Message<unknown>): void {
    const delivery = message.settler as Delivery;
    if (delivery.state !== "settling") return;
    delivery.state = "held";
    this.#settling -= 1;
  }

  takeBack(message: Message<unknown>): void {
    const delivery = message.settler as Delivery;
    if (delivery.state === "held") delivery.state = "unread";
  }

  /** Their counts are restored where the broker can. */
  async giveBack(messages: readonly Message<unknown>[]): Promise<void> {
    await this.#release(messages.map(({ settler }) => settler as Delivery).filter(({ state }) => state === "unread"));
  }

  /** Shards may be about to go: the broker is told what is done. */
  async settleDone(signal: AbortSignal): Promise<void> {
    if (this.#options.autoCommit !== "disabled") await this.#commits.commit(signal);
  }

  /** These shards went. */
  loseShards(shards: readonly Shard[]): void {
    const names = new Set(shards.map(({ streamKey, shardId }) => `${streamKey}/${shardId}`));
    const gone = [...this.#live].filter(({ incoming }) => names.has(`${incoming.streamKey}/${incoming.shardId}`));
    this.#tracker?.forget(shards);
    if (gone.length > 0) this.#lose(gone, "its shard went to another consumer", undefined);
  }

  loseTokens(tokens: readonly unknown[]): void {
    const set = new Set(tokens);
    const gone = [...this.#live].filter(({ incoming }) => set.has(incoming.token));
    if (gone.length > 0) this.#lose(gone, "the broker gave it to another consumer", undefined);
  }

  /**
   * Tells the broker what is done (not in `disabled`), then gives back the rest: unread messages with their counts restored, those that
   * were handed over with their counts kept. Aborted, it gives back at once what the broker was not told of.
   */
  async close(signal?: AbortSignal): Promise<void> {
    this.#stopTimers();
    const { autoCommit, autoCommitDelayMs, clock } = this.#options;
    try {
      if (autoCommit === "delayed") this.#ackOlderThan(clock.monotonic() - autoCommitDelayMs);
      if (autoCommit === "disabled") await this.#commits.idle();
      // What is acked while the broker is being told is told as well.
      else while (this.#commits.size > 0) await this.#commits.commit(signal);
      await this.#commits.idle(signal);
      const failure = this.takeFailure();
      if (failure !== undefined) throw failure;
    } finally {
      // A last one may have been handed over meanwhile.
      this.#stopTimers();
      this.#keeper.stop();
      this.#commits.stop();
      await this.#release([...this.#live]);
      await this.#releasing;
    }
  }

  #stopTimers(): void {
    this.#delayTimer?.cancel();
    this.#ackTimer?.cancel();
    this.#waiting.remove(() => true);
  }

  /** Forgets everything, as a process that dies does. For tests. */
  abandon(): void {
    this.#stopTimers();
    this.#keeper.stop();
    this.#commits.stop();
    this.#commits.drop();
    for (const delivery of this.#live) this.#end(delivery, "lost");
  }

  #settle(delivery: Delivery, kind: SettleTrace["kind"]): void {
    if (settleChannel.hasSubscribers) tellSettled(delivery, kind);
    delivery.state = "settling";
    this.#settling += 1;
    this.#options.onSettled();
  }

  /** False: it is lost. Settling twice is the program's mistake. */
  #maySettle(delivery: Delivery, nowMs: number): boolean {
    if (delivery.state === "lost") return false;
    if (delivery.state !== "held") throw new TypeError("this message was settled before: ack, nak and term are each for once");
    return !this.#loseIfExpired(delivery, nowMs);
  }

  #loseIfExpired(delivery: Delivery, nowMs: number): boolean {
    if (delivery.state === "lost") return true;
    if (!this.#keeper.isExpired(delivery, nowMs)) return false;
    this.#lose([delivery], "its lease passed", undefined);
    return true;
  }

  readonly #lose = (deliveries: readonly Delivery[], why: string, error: StreamError | undefined): void => {
    let heldCount = 0;
    let unreadCount = 0;
    for (const delivery of deliveries) {
      if (delivery.state === "lost" || delivery.state === "settled") continue;
      if (delivery.state === "unread") unreadCount += 1;
      else heldCount += 1;
      this.#end(delivery, "lost");
    }
    const [first] = deliveries;
    if (first === undefined || heldCount + unreadCount === 0) return;
    this.#waiting.remove(({ state }) => state === "lost");
    this.#publishLoss(first, heldCount + unreadCount, heldCount > 0 ? "warn" : "info", why, error);
  };

  #publishLoss({ incoming }: Delivery, count: number, level: "warn" | "info", why: string, error: StreamError | undefined): void {
    const { streamKey, shardId, sequence } = incoming;
    const others = count === 1 ? "" : ` (and ${count - 1} more)`;
    this.#options.publish({
      code: "message-lost",
      level,
      message: `message ${sequence} of "${streamKey}"${others} is no longer this consumer's and comes again: ${why}`,
      streamKey,
      shardId,
      count,
      ...(error === undefined ? {} : { error }),
    });
  }

  /** Held for longer than `keepAliveMs`. */
  #loseHeld(deliveries: readonly Delivery[]): void {
    const why = `it was held for longer than keepAliveMs (${this.#options.keepAliveMs} ms)`;
    if (this.#tracker === undefined) {
      this.#lose(deliveries, why, undefined);
      return;
    }
    // The broker, which knows positions only, would give it to nobody while the shard is ours: core does.
    const again = deliveries.map((delivery) => this.#succeed(delivery, "lost"));
    const [first] = deliveries;
    if (first !== undefined) this.#publishLoss(first, deliveries.length, "warn", why, undefined);
    for (const delivery of deliveries) delivery.onLost?.lost();
    this.#options.redeliver(again);
  }

  #end(delivery: Delivery, state: "settled" | "lost"): void {
    this.#live.remove(delivery);
    if (delivery.state === "settling") {
      this.#settling -= 1;
      delivery.state = state;
      // What the program has settled was not counted as open any more.
      if (state === "settled") return;
    }
    const wasHeld = delivery.state !== "unread";
    delivery.state = state;
    if (state === "lost" && wasHeld) delivery.onLost?.lost();
    this.#options.onSettled();
  }

  #release(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return Promise.resolve();
    const settlements = deliveries.map(
      ({ incoming, state }): Settlement => ({ kind: "release", token: incoming.token, unread: state === "unread" }),
    );
    // All at once, so that nothing can be settled that is on its way back.
    for (const delivery of deliveries) this.#end(delivery, "lost");
    // With committed positions there is nothing to be said of single messages: what is above the position comes again.
    if (this.#tracker !== undefined) return Promise.resolve();
    const released = this.#tellReleased(settlements);
    this.#releasing = Promise.all([this.#releasing, released]).then(() => {});
    return released;
  }

  async #tellReleased(settlements: readonly Settlement[]): Promise<void> {
    const { driver, clock, timeoutMs, wrapper, publish } = this.#options;
    try {
      await withDeadline({ clock, timeoutMs, what: "giving messages back" }, (call) =>
        driver.settle(settlements, { ...call, confirm: true }),
      );
    } catch (error) {
      const wrapped = wrapper.wrap(error, { what: "giving messages back" });
      const count = settlements.length;
      const message = `${count} messages could not be given back; others get them when their leases pass: ${wrapped.message}`;
      publish({ code: "release-failed", level: "warn", message, count, error: wrapped });
    }
  }

  /** Core's own redelivery: the count and a fresh lease are written, then it goes before all that is unread. */
  #giveAgain(due: readonly Delivery[]): void {
    const nowMs = this.#options.clock.monotonic();
    const messages: Message<unknown>[] = [];
    for (const delivery of due) {
      if (delivery.state === "waiting" && !this.#loseIfExpired(delivery, nowMs)) messages.push(this.#succeed(delivery, "settled"));
    }
    if (messages.length === 0) return;
    void this.#recount(
      messages.map(({ settler }) => settler as Delivery),
      nowMs,
    );
    this.#options.redeliver(messages);
  }

  /** Another delivery takes the place of one that was handed over. */
  #succeed(delivery: Delivery, state: "settled" | "lost"): Message<unknown> {
    const next = new Delivery(delivery.incoming, this, delivery.leasedAtMs, delivery.count + 1, !delivery.isUnhandled);
    delivery.successor = next;
    delivery.state = state;
    this.#live.remove(delivery);
    this.#live.append(next);
    return (delivery.message as Message<unknown>).again(next, next.count);
  }

  async #recount(deliveries: readonly Delivery[], nowMs: number): Promise<void> {
    const { driver, clock, timeoutMs, wrapper, publish, nativeNak } = this.#options;
    if (driver.leaseMs === undefined || driver.acks === "through") return;
    const settlements = deliveries.map(({ incoming, count }) =>
      nativeNak
        ? ({ kind: "extend", token: incoming.token } as const)
        : ({ kind: "recount", token: incoming.token, deliveryCount: count } as const),
    );
    try {
      const outcomes = await withDeadline({ clock, timeoutMs, what: "recounting" }, (call) =>
        driver.settle(settlements, { ...call, confirm: false }),
      );
      const gone = deliveries.filter((delivery, i) => {
        if (outcomes[i] === "done" && delivery.state !== "settled" && delivery.state !== "lost") delivery.leasedAtMs = nowMs;
        return outcomes[i] === "lost" && delivery.state !== "settling";
      });
      if (gone.length > 0) this.#lose(gone, "the broker gave it to another consumer", undefined);
    } catch (error) {
      const wrapped = wrapper.wrap(error, { what: "recounting" });
      publish({
        code: "recount-failed",
        level: "warn",
        message: `a delivery count could not be written: ${wrapped.message}`,
        error: wrapped,
      });
    }
  }

  readonly #ackDelayed = (): void => {
    const { clock, autoCommitDelayMs } = this.#options;
    this.#delayTimer = undefined;
    this.#ackOlderThan(clock.monotonic() - autoCommitDelayMs);
    const next = this.#delayed.peek();
    if (next !== undefined) {
      this.#delayTimer = clock.setTimer(this.#ackDelayed, Math.max(1, next.handedAtMs + autoCommitDelayMs - clock.monotonic()));
    }
  };

  #ackOlderThan(handedAtMs: number): void {
    for (let first = this.#delayed.peek(); first !== undefined; first = this.#delayed.peek()) {
      if (first.state === "held" && first.handedAtMs > handedAtMs) return;
      this.#delayed.shift();
      if (first.state === "held") this.ack(first);
    }
  }

  readonly #nakOverdue = (): void => {
    const { clock, ackTimeoutMs } = this.#options;
    this.#ackTimer = undefined;
    if (ackTimeoutMs === undefined) return;
    const nowMs = clock.monotonic();
    let held = 0;
    for (const delivery of [...this.#live]) {
      if (delivery.state !== "held") continue;
      if (nowMs - delivery.handedAtMs < ackTimeoutMs) held += 1;
      else this.nak(delivery, 0);
    }
    if (held > 0) this.#ackTimer = clock.setTimer(this.#nakOverdue, Math.max(1, ackTimeoutMs / 4), { background: true });
  };
}

function tellSettled({ message }: Delivery, kind: SettleTrace["kind"]): void {
  if (message !== undefined) settleChannel.publish({ kind, message } satisfies SettleTrace);
}
