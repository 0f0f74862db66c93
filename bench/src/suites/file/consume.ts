/** Reads a file from the earliest message to the end, looking at every payload. The baseline's loop wrote it. */
import { connect } from "@seaway/core";
import { assertCount, rateSince } from "../../stopwatch.ts";
import type { Job } from "../../suite.ts";
import { pathIn, urlOf, writeForReading } from "./bench-file.ts";

export default async function consume({ messages, payloadBytes, folder }: Job): Promise<number> {
  const path = pathIn(folder);
  await writeForReading(path, messages, payloadBytes);
  const streamer = await connect(urlOf(path));
  const consumer = await streamer.createConsumer("bench", { autoStreamReset: "earliest", until: "end" });
  let count = 0;
  let bytes = 0;
  const start = performance.now();
  for await (const message of consumer) {
    count += 1;
    bytes += message.payload.length;
  }
  const rate = rateSince(start, messages);
  await streamer.close();
  assertCount("messages", count, messages);
  assertCount("bytes", bytes, messages * payloadBytes);
  return rate;
}
