/**
 * What a group promises, as a model that is small enough to be read: written from the design and not from the code. It is told what
 * members do and what they get, and throws where a promise is broken. It does not foretell who gets what.
 */

/** What became of a message that was handed over, as its program sees it. */
interface Holding {
  readonly member: string;
  readonly count: number;
  readonly handedAtMs: number;
  /** `waiting`: nak'ed with a delay. `settled`: by its own program. `lost`: another delivery took its place. */
  state: "held" | "waiting" | "settled" | "lost";
  /** For `waiting`: not to come again sooner, while its member lives. */
  dueMs: number;
  /** Its lease may have passed, because its member stood still. */
  mayBeLost: boolean;
}

interface ModelMessage {
  readonly id: string;
  /** Newest last. */
  readonly holdings: Holding[];
  /** `acked`: its program said so, the broker may not know. `done`: the broker knows. `either`: a crash may have swallowed the ack. */
  state: "open" | "acked" | "done" | "either";
  ackedBy: string | undefined;
  ackedAtMs: number;
  /** Deliveries that nobody saw: it may have been in a buffer that was lost. */
  unseen: number;
}

interface ModelMember {
  /** Since when it stands still. */
  frozenAtMs: number | undefined;
  readonly lastFirst: Map<string, bigint>;
}

export interface ModelOptions {
  readonly leaseMs: number;
  readonly commitIntervalMs: number;
  /** `disabled`: only `commit` tells the broker; what was not committed is dropped by a close. */
  readonly autoCommit: "rolling" | "disabled";
  /** How long a message may be held; then it is lost to who holds it. */
  readonly keepAliveMs: number;
  /** One reader at a time: then the order of first deliveries is the group's and not only a member's. */
  readonly resumable: boolean;
}

export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

export class GroupModel {
  readonly #options: ModelOptions;
  readonly #messages = new Map<string, ModelMessage>();
  readonly #members = new Map<string, ModelMember>();
  readonly #lastFirst = new Map<string, bigint>();
  /** Somebody stood still for long: what waited in its buffer may come late. */
  wasStalled = false;
  /** Something was given back or left behind: other members may get older messages than they had. */
  #wasDisturbed = false;
  hasCrashed = false;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** A lease lasts, at worst, so long beyond the last moment at which its member ran: it is extended when half of it is over, looking at each quarter. */
  get #graceMs(): number {
    return this.#options.leaseMs / 4;
  }

  get open(): readonly string[] {
    return [...this.#messages.values()].filter(({ state }) => state === "open").map(({ id }) => id);
  }

  get(id: string): { readonly state: ModelMessage["state"] } {
    return this.#message(id);
  }

  sent(id: string): void {
    this.#messages.set(id, { id, holdings: [], state: "open", ackedBy: undefined, ackedAtMs: 0, unseen: 0 });
  }

  joined(member: string): void {
    this.#members.set(member, { frozenAtMs: undefined, lastFirst: new Map() });
  }

  /** A member's program was given a message. */
  handed(
    member: string,
    place: { readonly id: string; readonly shard: string; readonly sequence: bigint; readonly count: number },
    nowMs: number,
  ): void {
    const { id, shard, sequence, count } = place;
    const message = this.#message(id);
    const state = this.#member(member);
    if (message.state === "done") broken(`${id} was acked and committed, and came again to ${member}`);
    const last = message.holdings.at(-1);
    for (const holding of message.holdings) this.#assertFreed(id, holding, member, nowMs);
    // Counts: one more than the last that was seen, and at most one more for each buffer in which it may have been lost.
    const least = (last?.count ?? 0) + 1;
    const most = least + message.unseen + this.#standingStill(nowMs);
    if (count < least || count > most) {
      broken(`${id} came to ${member} with count ${count}, expected ${least}${most > least ? ` to ${most}` : ""}`);
    }
    message.unseen = 0;
    if (last === undefined) this.#noteFirst(member, state, shard, sequence, id);
    if (message.state === "acked" && this.#mayHaveLostAcks(message.ackedBy)) message.state = "either";
    if (message.state === "acked") broken(`${id} was acked by ${message.ackedBy}, which lives, and came again to ${member}`);
    message.state = "open";
    message.holdings.push({ member, count, handedAtMs: nowMs, state: "held", dueMs: 0, mayBeLost: false });
  }

  /** Whoever had it has it no longer, or the promise is broken. */
  #assertFreed(id: string, holding: Holding, to: string, nowMs: number): void {
    if (holding.state === "settled" || holding.state === "lost") return;
    const owner = this.#members.get(holding.member);
    const isLive = owner !== undefined;
    const stoodStill = isLive && owner.frozenAtMs !== undefined && nowMs - owner.frozenAtMs >= this.#graceMs;
    if (holding.state === "waiting" && holding.member === to && isLive) {
      // Core's own redelivery.
      if (nowMs < holding.dueMs && !holding.mayBeLost) broken(`${id} came again ${holding.dueMs - nowMs} ms before its delay was over`);
    } else if (isLive && !stoodStill && !holding.mayBeLost && !this.#isHeldTooLong(holding, nowMs)) {
      broken(`${id} is ${holding.state} by ${holding.member}, which lives and runs, and came to ${to}`);
    }
    holding.state = "lost";
  }

  #isHeldTooLong(holding: Holding, nowMs: number): boolean {
    return holding.state === "held" && nowMs - holding.handedAtMs >= this.#options.keepAliveMs;
  }

  #noteFirst(member: string, state: ModelMember, shard: string, sequence: bigint, id: string): void {
    const lasts = this.#options.resumable ? this.#lastFirst : state.lastFirst;
    const last = lasts.get(shard);
    const isOrdered = this.#options.resumable ? !this.wasStalled : !this.wasStalled && !this.#wasDisturbed;
    if (isOrdered && last !== undefined && last >= sequence)
      broken(`${id} came to ${member} for the first time after ${last} of its shard`);
    if (last === undefined || last < sequence) lasts.set(shard, sequence);
  }

  /** What a settling call gave: true, false, or "thrown" for a TypeError. */
  settled(
    member: string,
    id: string,
    count: number,
    kind: "ack" | "term" | "nak" | "progress",
    delayMs: number,
    gave: boolean,
    nowMs: number,
  ): void {
    const message = this.#message(id);
    const holding = message.holdings.find((each) => each.member === member && each.count === count && each.state !== "settled");
    if (holding === undefined) throw new Error(`the history settles ${id} of ${member}, which does not hold it`);
    if (holding.state === "lost" && gave) broken(`${kind} of ${id} by ${member} gave true, although it was lost to it`);
    const tooLong = this.#isHeldTooLong(holding, nowMs);
    // Looked at each quarter of a lease; a member that stood still looks when it runs again.
    if (tooLong && gave && !holding.mayBeLost && this.#isHeldTooLong(holding, nowMs - this.#graceMs)) {
      broken(`${kind} of ${id} by ${member} gave true, although it was held for longer than keepAliveMs`);
    }
    if (holding.state === "held" && !holding.mayBeLost && !tooLong && !gave)
      broken(`${kind} of ${id} by ${member} gave false, although it holds it`);
    if (!gave) {
      if (holding.state === "held") holding.state = "lost";
      return;
    }
    // It says that it holds it: then it does.
    holding.mayBeLost = false;
    if (kind === "progress") return;
    if (kind === "nak") {
      holding.state = "waiting";
      holding.dueMs = nowMs + delayMs;
      return;
    }
    holding.state = "settled";
    message.state = "acked";
    message.ackedBy = member;
    message.ackedAtMs = nowMs;
  }

  /** The member's `commit` or `close` resolved. */
  committed(member: string): void {
    for (const message of this.#messages.values()) {
      if (message.state === "acked" && message.ackedBy === member) message.state = "done";
    }
  }

  /** Time went on, to `nowMs`: members that ran have told the broker what is older than their interval. */
  passed(nowMs: number): void {
    if (this.#options.autoCommit === "disabled") return;
    for (const message of this.#messages.values()) {
      if (message.state !== "acked" || message.ackedBy === undefined) continue;
      const owner = this.#members.get(message.ackedBy);
      if (owner === undefined || owner.frozenAtMs !== undefined) continue;
      if (nowMs - message.ackedAtMs > this.#options.commitIntervalMs) message.state = "done";
    }
  }

  closed(member: string): void {
    if (this.#options.autoCommit === "disabled") this.#dropAcks(member, "open");
    else this.committed(member);
    this.#release(member);
    this.#members.delete(member);
    this.#wasDisturbed = true;
  }

  crashed(member: string): void {
    this.#dropAcks(member, this.#options.autoCommit === "disabled" ? "open" : "either");
    for (const message of this.#messages.values()) this.#mayHaveBeenUnread(message, member);
    this.#release(member);
    this.#members.delete(member);
    this.#wasDisturbed = true;
    this.hasCrashed = true;
  }

  froze(member: string, nowMs: number): void {
    this.#member(member).frozenAtMs = nowMs;
  }

  thawed(member: string, nowMs: number): void {
    const state = this.#member(member);
    const frozenAtMs = state.frozenAtMs ?? nowMs;
    state.frozenAtMs = undefined;
    if (nowMs - frozenAtMs < this.#graceMs) return;
    this.wasStalled = true;
    this.#wasDisturbed = true;
    this.#dropAcks(member, "either");
    for (const message of this.#messages.values()) {
      this.#mayHaveBeenUnread(message, member);
      for (const holding of message.holdings) {
        if (holding.member === member && (holding.state === "held" || holding.state === "waiting")) holding.mayBeLost = true;
      }
    }
  }

  /** At the end, with everything read and acked: nothing was forgotten. */
  assertComplete(): void {
    const left = this.open;
    if (left.length > 0) broken(`${left.join(", ")}: sent, and neither acked nor delivered in the end`);
  }

  /** What the member acked and the broker does not know for certain. */
  #dropAcks(member: string, state: "open" | "either"): void {
    for (const message of this.#messages.values()) {
      if (message.state === "acked" && message.ackedBy === member) message.state = state;
    }
  }

  /** What the member had is free. */
  #release(member: string): void {
    for (const { holdings } of this.#messages.values()) {
      for (const holding of holdings) {
        if (holding.member === member && (holding.state === "held" || holding.state === "waiting")) holding.state = "lost";
      }
    }
  }

  /** Unless somebody else visibly held it all the while, it may have been delivered to the member's buffer, and counted. */
  #mayHaveBeenUnread(message: ModelMessage, member: string): void {
    const last = message.holdings.at(-1);
    const isElsewhere = last !== undefined && last.member !== member && last.state === "held" && !last.mayBeLost;
    if (message.state === "open" && !isElsewhere) message.unseen += 1;
  }

  /** Members that stand still and may have lost what is in their buffers, though they do not know it yet. */
  #standingStill(nowMs: number): number {
    let count = 0;
    for (const { frozenAtMs } of this.#members.values()) {
      if (frozenAtMs !== undefined && nowMs - frozenAtMs >= this.#graceMs) count += 1;
    }
    return count;
  }

  #mayHaveLostAcks(member: string | undefined): boolean {
    const owner = member === undefined ? undefined : this.#members.get(member);
    return owner === undefined || owner.frozenAtMs !== undefined;
  }

  #message(id: string): ModelMessage {
    const message = this.#messages.get(id);
    if (message === undefined) broken(`${id} was never sent`);
    return message;
  }

  #member(member: string): ModelMember {
    const state = this.#members.get(member);
    if (state === undefined) throw new Error(`the history uses ${member}, which is not there`);
    return state;
  }
}

function broken(what: string): never {
  throw new BrokenPromise(what);
}
