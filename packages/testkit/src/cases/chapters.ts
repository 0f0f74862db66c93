/** All cases, in the order of the list. A new chapter is a file beside this one and a line here. */
import type { Chapter } from "../conformance/conformance-case.ts";
import { administering } from "./administering.ts";
import { assigning } from "./assigning.ts";
import { autoCommitting } from "./auto-committing.ts";
import { backpressure } from "./backpressure.ts";
import { badData } from "./bad-data.ts";
import { balancing } from "./balancing.ts";
import { batching } from "./batching.ts";
import { boundedReads } from "./bounded-reads.ts";
import { committing } from "./committing.ts";
import { concurrency } from "./concurrency.ts";
import { connecting } from "./connecting.ts";
import { deadLettering } from "./dead-lettering.ts";
import { deadLettersElsewhere } from "./dead-letters-elsewhere.ts";
import { decoding } from "./decoding.ts";
import { deduplication } from "./deduplication.ts";
import { draining } from "./draining.ts";
import { fetching } from "./fetching.ts";
import { holding } from "./holding.ts";
import { iterating } from "./iterating.ts";
import { killing } from "./killing.ts";
import { leavingLoops } from "./leaving-loops.ts";
import { lifetime } from "./lifetime.ts";
import { messageContents } from "./message-contents.ts";
import { movingGroups } from "./moving-groups.ts";
import { noGroup } from "./no-group.ts";
import { oneReader } from "./one-reader.ts";
import { patterns } from "./patterns.ts";
import { producing } from "./producing.ts";
import { realTime } from "./real-time.ts";
import { redelivering } from "./redelivering.ts";
import { relaying } from "./relaying.ts";
import { resuming } from "./resuming.ts";
import { running } from "./running.ts";
import { seeking } from "./seeking.ts";
import { settling } from "./settling.ts";
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
  noGroup,
  patterns,
  boundedReads,
  volume,
  resuming,
  oneReader,
  balancing,
  holding,
  autoCommitting,
  leavingLoops,
  settling,
  redelivering,
  committing,
  fetching,
  seeking,
  movingGroups,
  assigning,
  running,
  concurrency,
  draining,
  batching,
  deadLettering,
  deadLettersElsewhere,
  killing,
  decoding,
  iterating,
  lifetime,
  relaying,
  badData,
  administering,
];
