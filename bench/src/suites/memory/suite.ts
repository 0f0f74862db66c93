/** Core alone, with the broker in memory: what the library itself costs. */
import { MESSAGES_PER_SECOND, MILLISECONDS, type Suite, type Workload } from "../../suite.ts";
import { withoutTracing } from "./without-tracing.ts";

const program = (path: string): URL => new URL(path, import.meta.url);
const baseline = (file: string): URL => new URL(`../../../baseline/${file}`, import.meta.url);

const throughput = {
  unit: MESSAGES_PER_SECOND,
  messages: 1_000_000,
  payloadBytes: 256,
  rounds: 5,
} as const satisfies Partial<Workload>;

const tracingCost = {
  unit: MESSAGES_PER_SECOND,
  messages: 2_000_000,
  payloadBytes: 256,
  rounds: 15,
  prepare: withoutTracing,
  nodeArguments: ["--expose-gc"],
} as const satisfies Partial<Workload>;

export const memorySuite: Suite = {
  name: "memory",
  workloads: [
    {
      ...throughput,
      name: "produce-send",
      what: "un-awaited send() heeding needsDrain, then end(); against an array and a promise per send",
      sides: { seaway: { program: program("./produce-send.ts") }, baseline: { program: baseline("memory-produce-send.ts") } },
    },
    {
      ...throughput,
      name: "produce-enqueue",
      what: "enqueue() heeding needsDrain, then end(); against an array and no promise",
      sides: { seaway: { program: program("./produce-enqueue.ts") }, baseline: { program: baseline("memory-produce-enqueue.ts") } },
    },
    {
      ...throughput,
      name: "consume",
      what: "for await from the earliest to the end; against an async iterator that makes an object per message",
      sides: { seaway: { program: program("./consume.ts") }, baseline: { program: baseline("memory-consume.ts") } },
    },
    {
      ...throughput,
      name: "load-balanced",
      what: "for await in a group, acked and committed; against the same loop in real-time mode",
      sides: {
        seaway: { program: program("./consume-in-group.ts"), settings: { way: "load-balanced" } },
        baseline: { program: program("./consume-in-group.ts"), settings: { way: "real-time" } },
      },
    },
    {
      ...throughput,
      name: "run-100",
      what: "run() in a group with concurrency 100; against a plain loop in a group",
      sides: {
        seaway: { program: program("./consume-in-group.ts"), settings: { way: "run-100" } },
        baseline: { program: program("./consume-in-group.ts"), settings: { way: "load-balanced" } },
      },
    },
    {
      ...tracingCost,
      name: "tracing-cost-send",
      what: "send() as published; against a build without the diagnostics calls",
      sides: {
        seaway: { program: program("./tracing-cost-send.ts"), settings: { build: "published" } },
        baseline: { program: program("./tracing-cost-send.ts"), settings: { build: "without tracing" } },
      },
    },
    {
      ...tracingCost,
      name: "tracing-cost-consume",
      what: "for await as published; against a build without the diagnostics calls",
      sides: {
        seaway: { program: program("./tracing-cost-consume.ts"), settings: { build: "published" } },
        baseline: { program: program("./tracing-cost-consume.ts"), settings: { build: "without tracing" } },
      },
    },
    {
      name: "import",
      what: 'import("@seaway/core") in a fresh process; against an empty module',
      unit: MILLISECONDS,
      messages: 0,
      payloadBytes: 0,
      rounds: 20,
      sides: { seaway: { program: program("./import-core.ts") }, baseline: { program: baseline("import-empty.ts") } },
    },
  ],
};
