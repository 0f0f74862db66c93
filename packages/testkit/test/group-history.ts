/** A history of what programs do with one group on memory, played against {@link GroupModel} in time that stands still between its steps. */
import { type Consumer, connect, type Driver, isStreamError, type Message, type Streamer } from "@seaway/core";
import { memory } from "@seaway/core/memory";
import { abandon, type ManualClock, ManualTime } from "@seaway/testkit";
import fc from "fast-check";
import { BrokenPromise, GroupModel } from "./group-model.ts";

const LEASE_MS = 400;
const CLAIM_INTERVAL_MS = 100;
const COMMIT_INTERVAL_MS = 50;
const SLOTS = 3;
const STREAM = "s";
const GROUP = "g";
/** Of a nak: longer than two leases, so that it has to be kept. */
const LONGEST_DELAY_MS = 900;

type Step =
  | { readonly do: "send"; readonly shard: number; readonly count: number }
  | { readonly do: "open" | "commit" | "crash" | "close" | "freeze" | "thaw" | "wake" | "seek" | "next"; readonly slot: number }
  | { readonly do: "fetch" | "giveUp"; readonly slot: number; readonly count: number }
  | {
      readonly do: "settle";
      readonly slot: number;
      readonly which: number;
      readonly kind: "ack" | "term" | "nak" | "progress";
      readonly delayMs: number;
    }
  | { readonly do: "wait"; readonly ms: number };

export interface History {
  readonly mode: "resumable" | "load-balanced";
  readonly autoCommit: "rolling" | "disabled";
  /** Short in some: then messages are lost to those who hold them for long. */
  readonly keepAliveMs: number;
  readonly shards: number;
  /** At the end everybody closes at once, with whatever they hold. */
  readonly endsAtOnce: boolean;
  readonly steps: readonly Step[];
}

const slot = fc.nat({ max: SLOTS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("send" as const), shard: fc.nat({ max: 1 }), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("open" as const), slot }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("fetch" as const), slot, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("giveUp" as const), slot, count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("next" as const), slot }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      slot,
      which: fc.nat({ max: 3 }),
      kind: fc.constantFrom("ack" as const, "ack" as const, "nak" as const, "term" as const, "progress" as const),
      delayMs: fc.constantFrom(0, 30, 300, LONGEST_DELAY_MS),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 30, 90, 150, 310, 450) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("commit" as const, "seek" as const), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("crash" as const, "close" as const), slot }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("freeze" as const, "thaw" as const, "wake" as const), slot }) },
);

export const history: fc.Arbitrary<History> = fc.record({
  mode: fc.constantFrom("load-balanced" as const, "load-balanced" as const, "resumable" as const),
  autoCommit: fc.constantFrom("rolling" as const, "rolling" as const, "disabled" as const),
  keepAliveMs: fc.constantFrom(1_000_000, 1_000_000, 250),
  shards: fc.constantFrom(1, 2),
  endsAtOnce: fc.boolean(),
  steps: fc.array(step, { minLength: 4, maxLength: 36 }),
});

/** One line per step: what fast-check prints of a failure. */
export function describeHistory({ mode, autoCommit, keepAliveMs, shards, endsAtOnce, steps }: History): string {
  const lines = steps.map((each) => {
    const { do: what, ...rest } = each;
    return `  ${what} ${Object.entries(rest)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ")}`;
  });
  return [
    `${mode}, ${autoCommit}, kept alive for ${keepAliveMs} ms, ${shards} shards`,
    ...lines,
    endsAtOnce ? "  all close at once" : "  all close in the end",
  ].join("\n");
}

interface Member {
  readonly name: string;
  readonly clock: ManualClock;
  readonly streamer: Streamer;
  readonly consumer: Consumer;
  /** What its program has and has not settled. */
  held: Message[];
}

class Player {
  readonly #history: History;
  readonly #driver: Driver;
  readonly #model: GroupModel;
  readonly #time = new ManualTime();
  readonly #url = `memory://model-${nextNumber()}`;
  readonly #members: (Member | undefined)[] = [];
  #streamer!: Streamer;
  #opened = 0;
  #sent = 0;

  constructor(given: History, driver: Driver) {
    this.#history = given;
    this.#driver = driver;
    this.#model = new GroupModel({
      leaseMs: LEASE_MS,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      resumable: given.mode === "resumable",
      autoCommit: given.autoCommit,
      keepAliveMs: given.keepAliveMs,
    });
  }

  async play(): Promise<void> {
    const { shards, steps } = this.#history;
    this.#streamer = await connect(this.#url, { drivers: [this.#driver], clock: this.#time.clock(), random: () => 0.5 });
    try {
      await this.#streamer.admin.createStream(STREAM, { shards });
      await this.#streamer.admin.createGroup(STREAM, GROUP, "beginning");
      for (const each of steps) await this.#step(each);
      await this.#finish();
    } finally {
      for (const member of this.#members) if (member !== undefined) await abandon(member.consumer);
      await this.#streamer.admin.deleteStream(STREAM);
      await this.#streamer.close();
    }
  }

  async #step(each: Step): Promise<void> {
    if (each.do === "send") return this.#send(each.shard % this.#history.shards, each.count);
    if (each.do === "wait") return this.#wait(each.ms);
    if (each.do === "open") {
      // A resumable group has one reader; whoever else asks would wait.
      const at = this.#history.mode === "resumable" ? 0 : each.slot;
      if (this.#members[at] === undefined) await this.#open(at);
      return;
    }
    const at = this.#history.mode === "resumable" ? 0 : each.slot;
    const member = this.#members[at];
    if (member === undefined) return;
    if (each.do === "thaw") return this.#thaw(member);
    if (each.do === "wake") return this.#wake(member);
    if (each.do === "crash") return this.#crash(at, member);
    if (member.clock.isFrozen) return;
    switch (each.do) {
      case "fetch":
        for (const message of await member.consumer.fetch({ maxMessages: each.count, expiresMs: 0 })) this.#handed(member, message);
        break;
      case "giveUp":
        await this.#giveUp(member, each.count);
        break;
      case "next":
        await this.#next(member);
        break;
      case "settle":
        this.#settle(member, member.held[each.which % Math.max(member.held.length, 1)], each.kind, each.delayMs);
        break;
      case "commit":
        await member.consumer.commit();
        this.#model.committed(member.name);
        break;
      case "freeze":
        member.clock.isFrozen = true;
        this.#model.froze(member.name, this.#time.nowMs);
        break;
      case "seek":
        // Whether what was acked and not committed goes with it is said nowhere for disabled.
        if (this.#history.autoCommit === "disabled") return;
        await this.#seek(at, member);
        break;
      case "close":
        await this.#close(at, member);
        break;
    }
    await this.#time.settle();
  }

  async #send(shard: number, count: number): Promise<void> {
    const producer = await this.#streamer.createProducer(STREAM);
    const receipts = Array.from({ length: count }, () => {
      const id = `m${this.#sent}`;
      this.#sent += 1;
      // Before it is stored: a member may have it before its receipt is here.
      this.#model.sent(id);
      return producer.send(id, { shard });
    });
    await Promise.all(receipts);
    await producer.close();
    await this.#time.settle();
  }

  async #wait(ms: number): Promise<void> {
    await this.#time.advance(ms);
    this.#model.passed(this.#time.nowMs);
  }

  async #open(at: number): Promise<Member> {
    this.#opened += 1;
    const name = `member-${this.#opened}`;
    const clock = this.#time.clock();
    const streamer = await connect(this.#url, { drivers: [this.#driver], clock, random: () => 0.5 });
    const opening = streamer.createConsumer(STREAM, {
      mode: this.#history.mode,
      group: GROUP,
      consumerName: name,
      autoCommit: this.#history.autoCommit,
      autoCommitIntervalMs: COMMIT_INTERVAL_MS,
      keepAliveMs: this.#history.keepAliveMs,
      maxPrefetchMessages: 3,
      memory: { claimIdleMs: LEASE_MS, claimIntervalMs: CLAIM_INTERVAL_MS, readerLeaseMs: LEASE_MS },
    });
    let consumer: Consumer | undefined;
    opening.then(
      (opened) => {
        consumer = opened;
      },
      () => undefined,
    );
    // After a crash the reader's place is free when its lease is over.
    for (let waits = 0; consumer === undefined && waits < 20; waits += 1) await this.#wait(waits === 0 ? 0 : 100);
    consumer ??= await opening;
    const member: Member = { name, clock, streamer, consumer, held: [] };
    this.#members[at] = member;
    this.#model.joined(name);
    return member;
  }

  async #next(member: Member): Promise<void> {
    const abort = new AbortController();
    const reading = member.consumer.next({ signal: abort.signal }).catch((error: unknown) => {
      if (!isStreamError(error, "aborted")) throw error;
      return undefined;
    });
    reading.catch(() => undefined);
    await this.#time.settle();
    abort.abort();
    const message = await reading;
    if (message !== undefined) this.#handed(member, message);
  }

  #handed(member: Member, message: Message): void {
    const place = { id: message.text(), shard: String(message.shardId), sequence: message.sequence, count: message.deliveryCount };
    this.#model.handed(member.name, place, this.#time.nowMs);
    member.held.push(message);
  }

  #settle(member: Member, message: Message | undefined, kind: "ack" | "term" | "nak" | "progress", delayMs: number): void {
    if (message === undefined) return;
    const id = message.text();
    let gave: boolean;
    if (kind === "ack") gave = message.ack();
    else if (kind === "term") gave = message.term();
    else if (kind === "nak") gave = message.nak({ delayMs });
    else gave = message.inProgress();
    this.#model.settled(member.name, id, message.deliveryCount, kind, delayMs, gave, this.#time.nowMs);
    if (kind !== "progress" || !gave) member.held = member.held.filter((each) => each !== message);
  }

  /** It runs again, and its program acts before any timer of the library. */
  #wake(member: Member): void {
    if (!member.clock.isFrozen) return;
    this.#model.thawed(member.name, this.#time.nowMs);
    member.clock.isFrozen = false;
  }

  /** It runs again, and timers that are overdue come first. */
  async #thaw(member: Member): Promise<void> {
    this.#wake(member);
    await this.#wait(0);
  }

  /** A fetch that its program gives up while it waits for more, or in the moment in which it is full. */
  async #giveUp(member: Member, count: number): Promise<void> {
    const abort = new AbortController();
    const fetching = member.consumer.fetch({ maxMessages: count, expiresMs: 1_000_000, signal: abort.signal }).catch((error: unknown) => {
      if (!isStreamError(error, "aborted")) throw error;
      return [];
    });
    fetching.catch(() => undefined);
    await this.#time.settle();
    abort.abort();
    for (const message of await fetching) this.#handed(member, message);
  }

  async #crash(at: number, member: Member): Promise<void> {
    // What it has on its way when it dies gets through or not; here it is dead at once.
    await abandon(member.consumer);
    this.#members[at] = undefined;
    this.#model.crashed(member.name);
    await this.#time.settle();
    await member.streamer.close();
  }

  async #close(at: number, member: Member): Promise<void> {
    this.#members[at] = undefined;
    const [held] = member.held;
    await member.consumer.close();
    this.#model.closed(member.name);
    if (held?.ack() === true) throw new BrokenPromise(`${held.text()} was acked after its consumer had been closed`);
    await member.streamer.close();
  }

  /** It leaves the group and reads in real time; the group does not notice. */
  async #seek(at: number, member: Member): Promise<void> {
    this.#members[at] = undefined;
    await member.consumer.rewind("beginning");
    this.#model.closed(member.name);
    const expected = Array.from({ length: this.#sent }, (_, index) => `m${index}`);
    const messages: Message[] = [];
    for (let more = await this.#fetchSome(member); more.length > 0; more = await this.#fetchSome(member)) messages.push(...more);
    const seen = messages.map((message) => message.text());
    if ([...seen].sort().join() !== expected.sort().join())
      throw new BrokenPromise(`after a rewind ${seen.join()} of ${expected.join()} were read`);
    for (const message of messages) message.ack();
    await member.consumer.close();
    await member.streamer.close();
  }

  #fetchSome(member: Member): Promise<Message[]> {
    return member.consumer.fetch({ maxMessages: 10, expiresMs: 0 });
  }

  /** Everybody reads and acks what there is, then closes; a last member gets what is left. Then nothing may be. */
  async #finish(): Promise<void> {
    for (const member of this.#members) if (member !== undefined) await this.#thaw(member);
    if (!this.#history.endsAtOnce) await this.#wait(LONGEST_DELAY_MS + COMMIT_INTERVAL_MS);
    for (const [at, member] of this.#members.entries()) {
      if (member === undefined) continue;
      if (!this.#history.endsAtOnce) {
        for (let round = 0; round < 3; round += 1) await this.#next(member);
        for (const message of [...member.held].slice(1)) this.#settle(member, message, "ack", 0);
      }
      await this.#close(at, member);
    }
    const last = await this.#open(0);
    await this.#readAll(last);
    // Whoever closed gave back at once; leases have to pass only for what the dead left behind and what was lost by being held for too long.
    const hasLost = this.#model.hasCrashed || this.#model.wasStalled || this.#history.keepAliveMs < LEASE_MS;
    if (!hasLost) this.#model.assertComplete();
    await this.#wait(LEASE_MS + CLAIM_INTERVAL_MS);
    await this.#readAll(last);
    this.#model.assertComplete();
    await last.consumer.commit();
    this.#model.committed(last.name);
    const { shards } = await this.#streamer.admin.groupInfo(STREAM, GROUP);
    for (const { shardId, pending, lag } of shards) {
      if (pending !== 0 || lag !== 0)
        throw new BrokenPromise(`all was acked, and in shard ${shardId} ${pending} are pending and ${lag} to come`);
    }
    await this.#close(0, last);
  }

  async #readAll(member: Member): Promise<void> {
    for (let rounds = 0; ; rounds += 1) {
      const messages = await this.#fetchSome(member);
      for (const message of messages) this.#handed(member, message);
      for (const message of member.held) this.#settle(member, message, "ack", 0);
      if (messages.length === 0) return;
      if (rounds > this.#sent + 10) throw new BrokenPromise("messages that are acked come again without end");
    }
  }
}

let number = 0;

function nextNumber(): number {
  number += 1;
  return number;
}

/** Rejects with a {@link BrokenPromise}, or with what the library failed with. */
export function playHistory(given: History, driver: Driver = memory()): Promise<void> {
  return new Player(given, driver).play();
}
