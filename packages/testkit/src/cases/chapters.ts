/** All cases, in the order of the list. A new chapter is a file beside this one and a line here. */
import type { Chapter } from "../conformance/conformance-case.ts";
import { backpressure } from "./backpressure.ts";
import { badData } from "./bad-data.ts";
import { boundedReads } from "./bounded-reads.ts";
import { connecting } from "./connecting.ts";
import { iterating } from "./iterating.ts";
import { lifetime } from "./lifetime.ts";
import { messageContents } from "./message-contents.ts";
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
  sharding,
  backpressure,
  realTime,
  boundedReads,
  volume,
  seeking,
  iterating,
  lifetime,
  relaying,
  badData,
];
