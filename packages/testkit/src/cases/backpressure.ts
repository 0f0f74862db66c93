/** Cases 12, 16 and 16b: what a producer does while its backend is slow or fails in between. */
import assert from "node:assert/strict";
import { isStreamError, type Ordering, type OutgoingEntry, type Producer, type Receipt } from "@seaway/core";
import type { CaseContext } from "../conformance/case-context.ts";
import type { Chapter } from "../conformance/conformance-case.ts";
import type { FaultKind } from "../fault/fault-plan.ts";
import { faulty } from "../fault/faulty.ts";
import { eventually } from "../wait/eventually.ts";
import { within } from "../wait/within.ts";
import { assertIncreasing, failsWith, turn, watch } from "./expecting.ts";
import { numbered, take, takeUpTo, texts } from "./reading.ts";

const HIGH_WATER_BYTES = 10_000;
const ENTRY_BYTES = 500;
/** Messages count with their headers and some bookkeeping; no more than this beside the payload. */
const SLACK_BYTES = 1_000;

function entryText(index: number): string {
  return `${index}-`.padEnd(ENTRY_BYTES, "x");
}

/** Pipes 500 entries into a held-back producer and checks how much was buffered at each that was asked for. */
async function pipeWhileHeld(
  context: CaseContext,
  pipe: (producer: Producer, entries: AsyncIterable<OutgoingEntry<string>>) => Promise<unknown>,
): Promise<void> {
  const stream = context.freshStream();
  const faults = faulty(context.harness.driver);
  const streamer = await context.connectThrough(faults);
  const consumer = await streamer.createConsumer(stream);
  const producer = await streamer.createProducer(stream, { highWaterBytes: HIGH_WATER_BYTES, maxBatchBytes: 2_000 });
  let mostBuffered = 0;
  async function* entries(): AsyncGenerator<OutgoingEntry<string>> {
    for (let index = 0; index < 500; index += 1) {
      mostBuffered = Math.max(mostBuffered, producer.bufferedBytes);
      yield { value: entryText(index) };
    }
  }
  faults.hold("send");
  const piping = pipe(producer, entries());
  await eventually("the producer is full", () => producer.needsDrain, { limitMs: context.limits.waitMs });
  await turn();
  faults.release("send");
  await within(piping, context.limits.waitMs, "the pipe");
  assert.ok(
    mostBuffered <= HIGH_WATER_BYTES + ENTRY_BYTES + SLACK_BYTES,
    `${mostBuffered} bytes were buffered above a mark of ${HIGH_WATER_BYTES}`,
  );
  assert.deepEqual(
    texts(await take(consumer, 500, context.limits.waitMs)),
    Array.from({ length: 500 }, (_, index) => entryText(index)),
  );
}

/** Sends 60 messages in small pipelined batches of which the third fails, and gives what came of it. */
async function failInTheMiddle(
  context: CaseContext,
  ordering: Ordering,
  fault: FaultKind,
): Promise<{ readonly results: readonly PromiseSettledResult<Receipt>[]; readonly stored: readonly string[] }> {
  const stream = context.freshStream();
  const faults = faulty(context.harness.driver, {
    plan: { send: [{ fault, calls: [3] }] },
    limits: ordering === "strict" ? {} : { batchesInFlight: 4 },
  });
  const streamer = await context.connectThrough(faults);
  const consumer = await streamer.createConsumer(stream);
  const producer = await streamer.createProducer(stream, { ordering, maxBatchBytes: 200, sendTimeoutMs: context.limits.waitMs });
  faults.hold("send");
  const sending = Promise.allSettled(numbered("m", 60).map((text) => producer.send(text.padEnd(60, "."))));
  await eventually("a batch reaches the driver", () => faults.held("send") > 0, { limitMs: context.limits.waitMs });
  await turn();
  faults.release("send");
  const results = await within(sending, context.limits.waitMs * 2, "the sends");
  assert.ok(faults.calls("send") > 3, "the failing batch was not in the middle");
  await producer.send("end");
  const stored = texts(await takeUpTo(consumer, "end", context.limits.waitMs)).map((text) => text.replaceAll(".", ""));
  return { results, stored };
}

/** Checks that receipts tell the truth and that nothing stands before what was sent earlier. */
function assertNothingReordered(results: readonly PromiseSettledResult<Receipt>[], stored: readonly string[]): void {
  assertIncreasing(results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
  const numbers = stored.map((text) => Number(text.slice(2)));
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
    "stored in another order than sent",
  );
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") assert.ok(numbers.includes(index), `m-${index} has a receipt and is not stored`);
    else
      assert.ok(
        isStreamError(result.reason) && result.reason.retryable,
        `m-${index} rejected, and not retryably: ${String(result.reason)}`,
      );
  }
}

export const backpressure: Chapter = {
  title: "backpressure and failing batches",
  cases: [
    {
      number: "12",
      title: "needsDrain above one mark, buffer-full above the other, ready when there is room again",
      async run(context) {
        const stream = context.freshStream();
        const faults = faulty(context.harness.driver);
        const streamer = await context.connectThrough(faults);
        const consumer = await streamer.createConsumer(stream);
        const producer = await streamer.createProducer(stream, { highWaterBytes: 2_000, maxBufferedBytes: 8_000 });
        assert.equal(producer.needsDrain, false);
        await producer.ready();
        faults.hold("send");
        const sent: Promise<PromiseSettledResult<Receipt>[]>[] = [];
        const send = (): void => void sent.push(Promise.allSettled([producer.send("x".repeat(ENTRY_BYTES))]));
        send();
        assert.equal(producer.needsDrain, false);
        while (!producer.needsDrain && sent.length < 4) send();
        assert.equal(producer.needsDrain, true, "four times 500 bytes are not below 2000");
        assert.ok(producer.bufferedBytes >= 1_000, "bufferedBytes counts what waits");
        const readying = producer.ready();
        const ready = watch(readying);
        while (sent.length < 20) send();
        await eventually("a batch reaches the driver", () => faults.held("send") > 0, { limitMs: context.limits.waitMs });
        await turn();
        assert.equal(ready.settled, false, "ready although nothing has been sent");
        faults.release("send");
        await within(readying, context.limits.waitMs, "ready()");
        const results = (await within(Promise.all(sent), context.limits.waitMs, "the sends")).flat();
        const refused = results.findIndex((result) => result.status === "rejected");
        assert.ok(refused >= 4, "sends below the upper mark were refused");
        for (const [index, result] of results.entries()) {
          assert.equal(result.status, index < refused ? "fulfilled" : "rejected");
          if (result.status === "rejected") {
            const error = await failsWith("buffer-full", () => Promise.reject(result.reason));
            assert.equal(error.retryable, true);
          }
        }
        assert.equal(producer.needsDrain, false);
        await producer.send("end");
        assert.equal((await takeUpTo(consumer, "end", context.limits.waitMs)).length, refused);
      },
    },
    {
      number: "16",
      title: "pipeFrom asks its iterable for no more than fits",
      run: (context) =>
        pipeWhileHeld(context, async (producer, entries) => {
          assert.deepEqual(await producer.pipeFrom(entries), { sent: 500, failed: 0 });
        }),
    },
    {
      number: "16",
      title: "writable() asks its source for no more than fits",
      run: (context) => pipeWhileHeld(context, (producer, entries) => ReadableStream.from(entries).pipeTo(producer.writable())),
    },
    {
      number: "16",
      title: "pipeFrom counts what failed, and tells an iterable's own failure after sending what it gave",
      async run(context) {
        const stream = context.freshStream();
        const consumer = await context.streamer.createConsumer(stream);
        const producer = await context.streamer.createProducer(stream, { maxMessageBytes: 16 });
        const entries = ["1", "x".repeat(17), "2"].map((value) => ({ value }));
        assert.deepEqual(await producer.pipeFrom(entries), { sent: 2, failed: 1 });
        async function* failing(): AsyncGenerator<OutgoingEntry<string>> {
          yield { value: "3" };
          throw new Error("the source broke");
        }
        await assert.rejects(producer.pipeFrom(failing()), /the source broke/);
        assert.deepEqual(texts(await take(consumer, 3, context.limits.waitMs)), ["1", "2", "3"]);
      },
    },
    {
      number: "16b",
      title: "keeps the order when a batch is refused in the middle of others",
      async run(context) {
        const { results, stored } = await failInTheMiddle(context, "kept", "fail-before");
        assertNothingReordered(results, stored);
        assert.equal(new Set(stored).size, stored.length, "stored twice although the backend had refused it");
      },
    },
    {
      number: "16b",
      title: "keeps the order when a batch in the middle may or may not be stored",
      async run(context) {
        const { results, stored } = await failInTheMiddle(context, "kept", "fail-after");
        assertNothingReordered(results, stored);
      },
    },
    {
      number: "16b",
      title: "stores all in order with ordering: strict",
      async run(context) {
        const { results, stored } = await failInTheMiddle(context, "strict", "fail-before");
        assertNothingReordered(results, stored);
        assert.deepEqual(stored, numbered("m", 60));
      },
    },
  ],
};
