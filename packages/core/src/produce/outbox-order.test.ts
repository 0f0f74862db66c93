import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lasting, passing } from "../../test/fake-driver.ts";
import { turns } from "../../test/manual-clock.ts";
import { OutboxRig, type Sent } from "../../test/outbox-rig.ts";
import { ScriptedProducer } from "../../test/scripted-producer.ts";
import type { OutgoingMessage, SendOutcome } from "../driver/driver-producer.ts";
import { decodeUtf8 } from "../message/utf8.ts";

/** What a backend may do with a message; it does so in the order in which messages reach it. */
type Fate = "stored" | "passing" | "lasting" | "unknown, stored" | "unknown, not stored";

type Step =
  | { readonly do: "send"; readonly shards: readonly number[]; readonly withId: boolean }
  | { readonly do: "turn" | "flush" }
  /** The backend's answer for one of the batches in flight, in any order; of those, by this number. */
  | { readonly do: "answer"; readonly which: number; readonly rejected: boolean }
  | { readonly do: "wait"; readonly durationMs: number };

/** Decides at once, answers when it is told to. */
class RandomBackend extends ScriptedProducer {
  readonly #fates: readonly Fate[];
  readonly #dedupe: boolean;
  readonly #ids = new Set<string>();
  #next = 0;
  readonly open: { readonly outcomes: readonly SendOutcome[]; readonly answer: PromiseWithResolvers<readonly SendOutcome[]> }[] = [];
  /** From now on everything is stored, and answered at once. */
  healed = false;

  constructor(fates: readonly Fate[], batchesInFlight: number, dedupe: boolean) {
    super({ batchMessages: 2, batchesInFlight });
    this.#fates = fates;
    this.#dedupe = dedupe;
  }

  override send(batch: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const outcomes = batch.map((message) => this.#outcome(message));
    if (this.healed) return Promise.resolve(outcomes);
    const answer = Promise.withResolvers<readonly SendOutcome[]>();
    this.open.push({ outcomes, answer });
    return answer.promise;
  }

  #outcome(message: OutgoingMessage): SendOutcome {
    const fate = this.healed ? "stored" : (this.#fates[this.#next++ % this.#fates.length] ?? "stored");
    if (fate === "passing" || fate === "lasting") return { stored: false, error: fate === "passing" ? passing() : lasting() };
    if (fate !== "unknown, not stored") this.#append(message);
    return fate === "stored" ? { stored: true, sequence: 1n } : { stored: "unknown", error: passing() };
  }

  #append(message: OutgoingMessage): void {
    const { messageId, streamKey, shardId } = message;
    if (this.#dedupe && messageId !== undefined) {
      if (this.#ids.has(messageId)) return;
      this.#ids.add(messageId);
    }
    const lane = `${streamKey}/${shardId}`;
    const log = this.stored.get(lane) ?? [];
    this.stored.set(lane, log);
    log.push(decodeUtf8(message.payload) ?? "?");
  }
}

const certainFates = fc.constantFrom<Fate>("stored", "stored", "passing", "passing", "lasting");
const anyFates = fc.constantFrom<Fate>("stored", "stored", "passing", "lasting", "unknown, stored", "unknown, not stored");

function stepsWith(withId: fc.Arbitrary<boolean>, rejected: fc.Arbitrary<boolean>): fc.Arbitrary<Step[]> {
  const send = fc.record({ do: fc.constant("send" as const), shards: fc.array(fc.nat(1), { minLength: 1, maxLength: 5 }), withId });
  const answer = fc.record({ do: fc.constant("answer" as const), which: fc.nat(5), rejected });
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: send },
      { weight: 4, arbitrary: answer },
      { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("turn" as const, "flush" as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), durationMs: fc.integer({ min: 1, max: 700 }) }) },
    ),
    { minLength: 10, maxLength: 60 },
  );
}

async function play(rig: OutboxRig, backend: RandomBackend, steps: readonly Step[]): Promise<void> {
  const flushes: Promise<void>[] = [];
  const flush = (): void => {
    const before: Sent[] = [...rig.sends];
    const checked = rig.outbox.settled().then(() => {
      expect(before.filter((sent) => sent.settled === 0).map((sent) => sent.text)).toEqual([]);
    });
    flushes.push(checked);
  };
  for (const step of steps) {
    switch (step.do) {
      case "send": {
        for (const shard of step.shards) {
          const text = String(rig.sends.length);
          rig.send(text, { shard, ...(step.withId ? { messageId: `id ${text}` } : {}) });
        }
        break;
      }
      case "answer": {
        const [found] = backend.open.splice(step.which % Math.max(backend.open.length, 1), 1);
        if (step.rejected) found?.answer.reject(passing("connection lost"));
        else found?.answer.resolve(found.outcomes);
        await turns(1);
        break;
      }
      case "wait":
        await rig.clock.advance(step.durationMs);
        break;
      case "turn":
        await turns(1);
        break;
      case "flush":
        flush();
        break;
    }
  }
  backend.healed = true;
  flush();
  for (const { outcomes, answer } of backend.open) answer.resolve(outcomes);
  await rig.clock.advance(10_000);
  await Promise.all(flushes);
}

/** However it went, each send is settled once and nothing is left behind. */
function checkAccounts(rig: OutboxRig, backend: RandomBackend): void {
  for (const sent of rig.sends) expect(sent.settled, `settlements of ${sent.text}`).toBe(1);
  expect(rig.outbox.bytes).toBe(0);
  expect(rig.clock.pending).toBe(0);
  const stored = new Set([...backend.stored.values()].flat());
  for (const sent of rig.sends) if (sent.receipt !== undefined) expect(stored.has(sent.text), `${sent.text} is stored`).toBe(true);
}

function checkOrder(backend: RandomBackend): void {
  for (const log of backend.stored.values()) {
    const numbers = log.map(Number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  }
}

const flights = fc.integer({ min: 1, max: 4 });

describe("whatever a backend does", () => {
  it.each(["kept", "strict"] as const)(
    "ordering: %j stores each lane in send order, without repeats, and settles every send once",
    async (ordering) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(certainFates, { minLength: 5, maxLength: 40 }),
          flights,
          stepsWith(fc.boolean(), fc.constant(false)),
          async (fates, inFlight, steps) => {
            const backend = new RandomBackend(fates, inFlight, false);
            const rig = new OutboxRig({ ordering, sendTimeoutMs: 2000 }, backend);
            await play(rig, backend, steps);
            checkAccounts(rig, backend);
            checkOrder(backend);
            const stored = new Set([...backend.stored.values()].flat());
            const overdue = rig.sends.filter((sent) => sent.error?.code === "timeout" && sent.error.message.includes("no answer"));
            // What the backend surely refused is not there, and what it took is confirmed, but for answers that came too late.
            for (const sent of rig.sends) {
              if (!overdue.includes(sent)) expect(stored.has(sent.text), sent.text).toBe(sent.receipt !== undefined);
            }
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  it("outcomes that stay unknown change neither the order nor the number of copies", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFates, { minLength: 5, maxLength: 40 }),
        flights,
        stepsWith(fc.constant(false), fc.boolean()),
        async (fates, inFlight, steps) => {
          const backend = new RandomBackend(fates, inFlight, false);
          const rig = new OutboxRig({ sendTimeoutMs: 2000 }, backend);
          await play(rig, backend, steps);
          checkAccounts(rig, backend);
          checkOrder(backend);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("message ids keep repeats out where the backend looks at them, and every send is settled once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFates, { minLength: 5, maxLength: 40 }),
        flights,
        stepsWith(fc.boolean(), fc.boolean()),
        async (fates, inFlight, steps) => {
          const backend = new RandomBackend(fates, inFlight, true);
          const rig = new OutboxRig({ sendTimeoutMs: 2000, dedupe: true }, backend);
          await play(rig, backend, steps);
          checkAccounts(rig, backend);
          const all = [...backend.stored.values()].flat();
          expect(all.length).toBe(new Set(all).size);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('ordering: "relaxed" still settles every send once, and stores nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFates, { minLength: 5, maxLength: 40 }),
        flights,
        stepsWith(fc.constant(false), fc.boolean()),
        async (fates, inFlight, steps) => {
          const backend = new RandomBackend(fates, inFlight, false);
          const rig = new OutboxRig({ ordering: "relaxed", sendTimeoutMs: 2000 }, backend);
          await play(rig, backend, steps);
          checkAccounts(rig, backend);
          const all = [...backend.stored.values()].flat();
          expect(all.length).toBe(new Set(all).size);
        },
      ),
      { numRuns: 300 },
    );
  });
});
