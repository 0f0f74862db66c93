/** The program of the demo. It knows two URLs and nothing of what is behind them. */
import { connect, json, type Streamer } from "@seaway/core";
import { type CallEvent, parseCallEvent } from "./call-event.ts";
import { check, say, table } from "./say.ts";

/** One call and what it gave. */
interface Call {
  readonly call: string;
  readonly result: number;
}

export interface Outcome {
  readonly calls: readonly Call[];
  readonly resumed: readonly string[];
  readonly followed: readonly string[];
}

export async function runPipeline(from: string, to: string): Promise<Outcome> {
  await using source = await connect(from);
  await using target = await connect(to);
  const written = await convert(source, target);
  say(`Read ${written.events} events, paired each call with its return, and wrote ${written.calls} calls as JSON to ${target.backend}.`);
  const calls = await readBack(target);
  check("what was read back is what was written", calls.length, written.calls);
  check(
    "every result is the square of its argument",
    calls.map(({ call, result }) => `${call} = ${result}`),
    squares(written.calls),
  );
  return { calls, resumed: await stopAndResume(target), followed: await follow(target) };
}

/** Events in, calls out. */
async function convert(source: Streamer, target: Streamer): Promise<{ readonly events: number; readonly calls: number }> {
  const consumer = await source.createConsumer("event", { autoStreamReset: "earliest", until: "end" });
  const producer = await target.createProducer<Call>("calls", { codec: json() });
  const open = new Map<number, CallEvent>();
  let events = 0;
  let calls = 0;
  for await (const message of consumer) {
    events += 1;
    const event = parseCallEvent(message.payload);
    if (event?.value === undefined) continue;
    if (event.kind === "call") open.set(event.frame, event);
    const begun = open.get(event.frame);
    if (event.kind === "call" || begun === undefined) continue;
    open.delete(event.frame);
    calls += 1;
    const name = event.name.replace(/^.*::/, "");
    await producer.send(
      { call: `${name}(${begun.value})`, result: event.value },
      {
        key: name,
        timestampMs: message.timestampMs,
        headers: { recorded: message.timestamp.toISOString(), "from-sequence": String(message.sequence) },
      },
    );
  }
  await producer.end();
  return { events, calls };
}

async function readBack(target: Streamer): Promise<Call[]> {
  const consumer = await target.createConsumer<Call>("calls", { codec: json(), autoStreamReset: "earliest", until: "end" });
  const calls: Call[] = [];
  const rows: string[][] = [];
  let intact = 0;
  for await (const message of consumer) {
    const { value, headers, key, sequence } = message;
    calls.push(value);
    rows.push([String(sequence), value.call, String(value.result), key ?? "", String(headers.get("recorded"))]);
    if (headers.get("recorded") === message.timestamp.toISOString() && headers.has("from-sequence")) intact += 1;
  }
  table(["sequence", "call", "result", "key", 'header "recorded"'], rows);
  check("headers, keys and times came back with every message", intact, calls.length);
  return calls;
}

/** A reader that stops in the middle, and another that goes on from there. */
async function stopAndResume(target: Streamer): Promise<string[]> {
  const first = await target.createConsumer<Call>("calls", { codec: json(), autoStreamReset: "earliest", until: "end" });
  let next = 1n;
  for await (const { sequence } of first) {
    next = sequence + 1n;
    if (sequence === 6n) break;
  }
  await first.close();
  const second = await target.createConsumer<Call>("calls", { codec: json(), until: "end" });
  await second.rewind({ at: next });
  const resumed: string[] = [];
  for await (const { value } of second) resumed.push(value.call);
  say(`A reader stopped after 6 messages; another one did rewind({ at: ${next}n }) and read ${resumed.join(", ")}.`);
  check("nothing was read twice or left out", resumed, ["square(6)", "square(7)", "square(8)", "square(9)"]);
  return resumed;
}

/** A reader that waits for what is new, and gets it as it comes. */
async function follow(target: Streamer): Promise<string[]> {
  const consumer = await target.createConsumer<Call>("calls", { codec: json() });
  const producer = await target.createProducer<Call>("calls", { codec: json() });
  const followed: string[] = [];
  const following = (async () => {
    for await (const { value } of consumer) {
      followed.push(value.call);
      if (followed.length === 3) break;
    }
  })();
  for (const n of [10, 11, 12]) await producer.send({ call: `square(${n})`, result: n * n });
  await following;
  say(`A reader that followed the stream meanwhile saw ${followed.join(", ")} arrive.`);
  check("it saw the new ones, and only those", followed, ["square(10)", "square(11)", "square(12)"]);
  return followed;
}

function squares(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `square(${n}) = ${n * n}`);
}
