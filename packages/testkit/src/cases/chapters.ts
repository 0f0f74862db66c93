/** All cases, in the order of the list. A new chapter is a file beside this one and a line here. */
import type { Chapter } from "../conformance/conformance-case.ts";
import { assigning } from "./assigning.ts";
import { backpressure } from "./backpressure.ts";
import { badData } from "./bad-data.ts";
import { boundedReads } from "./bounded-reads.ts";
import { connecting } from "./connecting.ts";
import { deduplication } from "./deduplication.ts";
import { iterating } from "./iterating.ts";
import { lifetime } from "./lifetime.ts";
import { messageContents } from "./message-contents.ts";
import { patterns } from "./patterns.ts";
import { producing } from "./producing.ts";
import { realTime } from "./real-time.ts";
import { relaying } from "./relaying.ts";
import { seeking } from "./seeking.ts";
import { sharding } from "./sharding.ts";
import { volume } from "./volume.ts";

export const chapters: readonly Chapter[] = [
  connecting,
  producing,
  messageContents,
  deduplication,
  sharding,
  backpressure,
  realTime,
  patterns,
  boundedReads,
  volume,
  seeking,
  assigning,
  iterating,
  lifetime,
  relaying,
  badData,
];
