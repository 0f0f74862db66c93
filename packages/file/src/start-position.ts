/** From positions in shards to the place in the file where reading starts, and what is wanted from there on. */
import type { ShardPosition } from "@seaway/core/driver";
import type { FileReader } from "./file-reader.ts";
import type { FileSurvey } from "./file-survey.ts";
import type { ReadingPlace } from "./follower.ts";
import { createBeaconReader, type ReadBeacon } from "./format/beacon-reader.ts";
import { findSeekStart, type SeekTarget } from "./format/beacon-search.ts";
import { FILE_HEADER_BYTES } from "./format/file-header.ts";
import { ShardCursor } from "./shard-selection.ts";

export interface StartPlan {
  readonly place: ReadingPlace;
  readonly cursors: readonly ShardCursor[];
}

export const FILE_START: ReadingPlace = { offset: FILE_HEADER_BYTES, isBeacon: false };

/**
 * The least of what the targets need: one pass over the file serves all of them. Costs a few beacons per target. Without a file all that
 * will come is wanted but for what the targets themselves exclude.
 */
export async function planStart(targets: readonly ShardPosition[], survey: FileSurvey, reader: FileReader | undefined): Promise<StartPlan> {
  const readBeacon = reader === undefined ? undefined : createBeaconReader(reader.read, reader.header.beaconInterval);
  const cursors: ShardCursor[] = [];
  let place: ReadingPlace | undefined;
  for (const target of targets) {
    const start = reader === undefined || readBeacon === undefined ? FILE_START : await placeOf(target, survey, reader, readBeacon);
    if (place === undefined || start.offset < place.offset) place = start;
    cursors.push(cursorFor(target, survey));
  }
  return { place: place ?? { offset: survey.end, isBeacon: false }, cursors };
}

async function placeOf(target: ShardPosition, survey: FileSurvey, reader: FileReader, readBeacon: ReadBeacon): Promise<ReadingPlace> {
  const { streamKey, shardId: shard, position } = target;
  if (position === "beginning") return FILE_START;
  if (position === "end") return { offset: survey.end, isBeacon: false };
  const wanted: SeekTarget =
    "at" in position ? { streamKey, shard, fromSequence: position.at } : { streamKey, shard, afterTimestamp: Math.floor(position.afterMs) };
  const { beaconInterval } = reader.header;
  const { offset } = await findSeekStart(wanted, Math.floor((survey.end - 1) / beaconInterval), beaconInterval, readBeacon);
  return { offset, isBeacon: offset > FILE_HEADER_BYTES };
}

function cursorFor(target: ShardPosition, survey: FileSurvey): ShardCursor {
  const { position } = target;
  if (position === "beginning") return new ShardCursor(target, undefined, 0n);
  if (position === "end") return new ShardCursor(target, { offset: survey.end }, lastSequence(target, survey));
  return "at" in position
    ? new ShardCursor(target, { at: position.at }, position.at - 1n)
    : new ShardCursor(target, { afterMs: position.afterMs }, undefined);
}

/** The greatest sequence of a shard; 0 if it has no message. */
export function lastSequence({ streamKey, shardId }: { streamKey: string; shardId: number }, survey: FileSurvey): bigint {
  const found = survey.shards.find((shard) => shard.streamKey === streamKey && shard.shardId === shardId);
  return BigInt(found?.sequence ?? 0);
}
