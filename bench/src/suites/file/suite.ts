/** One `.ss` file, in one process, against a bare loop over the same bytes. */
import { MEBIBYTES, MESSAGES_PER_SECOND, type Suite, type Workload } from "../../suite.ts";

const program = (path: string): URL => new URL(path, import.meta.url);
const baseline = (file: string): URL => new URL(`../../../baseline/${file}`, import.meta.url);

const throughput = {
  unit: MESSAGES_PER_SECOND,
  messages: 1_000_000,
  payloadBytes: 256,
  rounds: 5,
} as const satisfies Partial<Workload>;

export const fileSuite: Suite = {
  name: "file",
  workloads: [
    {
      ...throughput,
      name: "produce-send",
      what: "un-awaited send() heeding needsDrain, then end(), into a fresh file; against a bare loop of 1 MiB writes",
      sides: { seaway: { program: program("./produce-send.ts") }, baseline: { program: baseline("file-write.ts") } },
    },
    {
      ...throughput,
      name: "produce-enqueue",
      what: "enqueue() heeding needsDrain, then end(), into a fresh file; against a bare loop of 1 MiB writes",
      sides: { seaway: { program: program("./produce-enqueue.ts") }, baseline: { program: baseline("file-write.ts") } },
    },
    {
      ...throughput,
      name: "produce-send-many",
      what: "sendMany() of 1,000, two under way, into a fresh file; against a bare loop of 1 MiB writes",
      sides: { seaway: { program: program("./produce-send-many.ts") }, baseline: { program: baseline("file-write.ts") } },
    },
    {
      ...throughput,
      name: "consume",
      what: "for await from the earliest to the end; against a bare loop of 1 MiB reads that checks every message",
      sides: { seaway: { program: program("./consume.ts") }, baseline: { program: baseline("file-read.ts") } },
    },
    {
      name: "memory-growth",
      what: "resident memory after all messages were written and followed; against that after a fifth of them",
      unit: MEBIBYTES,
      messages: 5_000_000,
      payloadBytes: 100,
      rounds: 3,
      sides: { both: { program: program("./memory-growth.ts") } },
      nodeArguments: ["--expose-gc"],
    },
  ],
};
