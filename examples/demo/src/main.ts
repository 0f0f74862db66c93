/**
 * The demo: a recording made by SeaStreamer is read, processed, written to another file and read back; then the same program does it all
 * in memory, because only the URL is another one. It checks what it prints, and fails if something is not so.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runPipeline } from "./pipeline.ts";
import { countStreams, recordedAfter } from "./recording.ts";
import { check, failures, say, table, title } from "./say.ts";

const recording = (name: string): string => new URL(`../data/${name}`, import.meta.url).href;
const vecMap = recording("sample-1.ss");
const hello = recording("consumer.ss");

/** `count` sequences up to `last`. */
function lastOf(last: bigint, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => last - BigInt(count - 1 - i));
}

say("Seaway: one program for many streaming backends. This demo needs no server and ends by itself.");
const folder = await mkdtemp(join(tmpdir(), "seaway-demo-"));
try {
  title("1. Read what another program has written");
  say("examples/demo/data has two files that SeaStreamer wrote, the Rust library whose format this is.");
  say('Nobody told us what is in them: the pattern ** asks for every stream, until: "end" for what there is now.');
  for (const [file, url, expected] of [
    ["sample-1.ss", vecMap, { breakpoint: 4, event: 22, file: 1 }],
    ["consumer.ss", hello, { hello: 100 }],
  ] as const) {
    const streams = await countStreams(url);
    table(
      [file, "messages", "first", "last"],
      streams.map(({ streamKey, count, first, last }) => [streamKey, String(count), first, last]),
    );
    check(
      `${file} holds the streams and messages that are known to be in it`,
      Object.fromEntries(streams.map((s) => [s.streamKey, s.count])),
      expected,
    );
  }
  say("sample-1.ss is what a debugger saw of a small program: its source file, its breakpoints, and each call and return.");

  title("2. Go to a point in time");
  const time = new Date("2023-09-15T08:39:38.540Z");
  const after = await recordedAfter(vecMap, "event", time);
  say(`seek(${time.toISOString()}) in "event" gives the ${after.length} events that came later; the first is number ${after[0]}.`);
  check("they are the last 8 of 22: number 14 is of that very moment, and seek means strictly later", after, lastOf(22n, 8));

  title("3. Process it into another file");
  const fileUrl = pathToFileURL(join(folder, "calls.ss")).href;
  say(`The program in pipeline.ts now runs with ${fileUrl}`);
  const file = await runPipeline(vecMap, fileUrl);

  title("4. The same program, another URL");
  say("The program in pipeline.ts now runs with memory://demo");
  const memory = await runPipeline(vecMap, "memory://demo");
  check("memory gave what the file gave", memory, file);
} finally {
  await rm(folder, { recursive: true, force: true });
}

title(failures() === 0 ? "All of that was so." : `${failures()} of the checks above failed.`);
if (failures() > 0) process.exitCode = 1;
