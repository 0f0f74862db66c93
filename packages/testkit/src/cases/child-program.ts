/** What runs inside the other process of case 76. */
import { getEventListeners } from "node:events";
import { writeSync } from "node:fs";
import { type ConnectOptions, connect } from "@seaway/core";
import type { Driver } from "@seaway/core/driver";
import type { ChildDriver } from "../conformance/harness.ts";
import { take } from "./reading.ts";

export interface ChildTask {
  /** `pass`: so many messages through one producer and one consumer. `consumers`: so many consumers opened, used and closed. */
  readonly task: "pass" | "consumers";
  readonly count: number;
  readonly url: string;
  readonly streamKey: string;
  readonly connect: ConnectOptions;
  readonly driver: ChildDriver;
}

export interface ChildOutcome {
  readonly passed: number;
  /** Of the signal that was given with every call. */
  readonly listeners: number;
  /** On `process`, more than before connecting. */
  readonly processListeners: number;
  readonly resourcesBefore: readonly string[];
  readonly resourcesAfter: readonly string[];
}

/** Consumers open at a time. */
const ABREAST = 20;

/** Does the task, closes everything and says so in one line of JSON; it does not exit. Imported by name in the child. */
export async function runChildTask(task: ChildTask, driver: Driver): Promise<void> {
  const listenersBefore = processListeners();
  const { signal } = new AbortController();
  const streamer = await connect(task.url, { ...task.connect, drivers: [driver], signal });
  const producer = await streamer.createProducer(task.streamKey, { signal });
  await producer.send("first");
  const one = async (): Promise<void> => {
    const consumer = await streamer.createConsumer(task.streamKey, { signal });
    const pending = consumer.next({ signal });
    pending.catch(() => undefined);
    await consumer.close({ signal });
  };
  await one();
  const resourcesBefore = process.getActiveResourcesInfo();
  let passed = 0;
  if (task.task === "pass") {
    const consumer = await streamer.createConsumer(task.streamKey, { signal });
    for (let index = 0; index < task.count; index += 1) producer.enqueue(`m-${index}`);
    passed = (await take(consumer, task.count)).length;
  } else {
    for (; passed < task.count; passed += Math.min(ABREAST, task.count - passed)) {
      await Promise.all(Array.from({ length: Math.min(ABREAST, task.count - passed) }, one));
    }
  }
  const resourcesAfter = process.getActiveResourcesInfo();
  await streamer.close({ signal });
  const outcome: ChildOutcome = {
    passed,
    listeners: getEventListeners(signal, "abort").length,
    processListeners: processListeners() - listenersBefore,
    resourcesBefore,
    resourcesAfter,
  };
  // Written at once: nothing of ours is left to keep the process alive.
  writeSync(1, `${JSON.stringify(outcome)}\n`);
}

function processListeners(): number {
  return process.eventNames().reduce((count, name) => count + process.listenerCount(name), 0);
}
