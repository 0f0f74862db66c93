/** Reading a recording of which nothing is known but its URL. */
import { connect } from "@seaway/core";

export interface StreamCount {
  readonly streamKey: string;
  readonly count: number;
  /** Times of its first and last message. */
  readonly first: string;
  readonly last: string;
}

/** Every stream, by name. */
export async function countStreams(url: string): Promise<StreamCount[]> {
  await using streamer = await connect(url);
  const consumer = await streamer.createConsumer({ pattern: "**" }, { autoStreamReset: "earliest", until: "end" });
  const streams = new Map<string, StreamCount>();
  for await (const { streamKey, timestamp } of consumer) {
    const before = streams.get(streamKey);
    const time = timestamp.toISOString();
    streams.set(streamKey, { streamKey, count: (before?.count ?? 0) + 1, first: before?.first ?? time, last: time });
  }
  return [...streams.values()].sort((a, b) => (a.streamKey < b.streamKey ? -1 : 1));
}

/** The sequences of what a stream has later than that. */
export async function recordedAfter(url: string, streamKey: string, time: Date): Promise<bigint[]> {
  await using streamer = await connect(url);
  const consumer = await streamer.createConsumer(streamKey, { autoStreamReset: "earliest", until: "end" });
  await consumer.seek(time);
  const sequences: bigint[] = [];
  for await (const { sequence } of consumer) sequences.push(sequence);
  return sequences;
}
