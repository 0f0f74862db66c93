/** Sends without awaiting each, as fast as the producer takes them, until all is in the file. */
import { connect } from "@seaway/core";
import { makePayloads } from "../../payloads.ts";
import { rateSince } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";
import { assertWritten, pathIn, urlOf } from "./bench-file.ts";

export default async function produceSend({ messages, payloadBytes, folder }: Job): Promise<number> {
  const payloads = makePayloads(payloadBytes);
  const path = pathIn(folder);
  const streamer = await connect(urlOf(path));
  const producer = await streamer.createProducer("bench");
  const start = performance.now();
  for (let i = 0; i < messages; i++) {
    // A rejection is unhandled, and so ends this process.
    void producer.send(payloads[i % payloads.length] as Buffer);
    if (producer.needsDrain) await producer.ready();
  }
  await producer.end();
  const rate = rateSince(start, messages);
  await streamer.close();
  await assertWritten(path, messages);
  return rate;
}
