import { afterEach, describe, expect, it } from "vitest";
import { connect } from "../connect/connect.ts";
import { type ProcessTrace, processChannel, type SettleTrace, settleChannel } from "../observe/channels.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo.splice(0)) each();
});

describe("tracing in a group", () => {
  it("tells of each handler call, its end and its error, and of what became of each message", async () => {
    const seen: string[] = [];
    const handlers = {
      start: ({ messages }: ProcessTrace) => void seen.push(`start ${messages[0]?.text()}`),
      end: () => undefined,
      asyncStart: () => undefined,
      asyncEnd: ({ messages }: ProcessTrace) => void seen.push(`end ${messages[0]?.text()}`),
      error: ({ messages }: ProcessTrace) => void seen.push(`error ${messages[0]?.text()}`),
    };
    processChannel.subscribe(handlers);
    undo.push(() => void processChannel.unsubscribe(handlers));
    const onSettle = (trace: unknown): void => {
      const { kind, message } = trace as SettleTrace;
      seen.push(`${kind} ${message.text()}`);
    };
    settleChannel.subscribe(onSettle);
    undo.push(() => void settleChannel.unsubscribe(onSettle));

    await using streamer = await connect(`memory://${crypto.randomUUID()}`);
    const producer = await streamer.createProducer("s");
    await producer.sendMany([{ value: "good" }, { value: "bad" }]);
    const consumer = await streamer.createConsumer("s", {
      mode: "load-balanced",
      group: "g",
      autoStreamReset: "earliest",
      until: "end",
    });
    let tries = 0;
    await consumer.run(
      (message) => {
        if (message.text() === "bad" && tries++ === 0) throw new Error("no");
      },
      { retry: { backoff: () => 0 } },
    );
    expect(seen).toEqual([
      "start good",
      "end good",
      "ack good",
      "start bad",
      "error bad",
      "end bad",
      "nak bad",
      "start bad",
      "end bad",
      "ack bad",
    ]);
  });

  it("tells of the ack that asking for the next message is", async () => {
    const seen: string[] = [];
    const onSettle = (trace: unknown): void => void seen.push((trace as SettleTrace).kind);
    settleChannel.subscribe(onSettle);
    undo.push(() => void settleChannel.unsubscribe(onSettle));
    await using streamer = await connect(`memory://${crypto.randomUUID()}`);
    await (await streamer.createProducer("s")).sendMany([{ value: "1" }, { value: "2" }]);
    const consumer = await streamer.createConsumer("s", { mode: "resumable", group: "g", autoStreamReset: "earliest", until: "end" });
    for await (const _ of consumer);
    expect(seen).toEqual(["ack", "ack"]);
  });
});
