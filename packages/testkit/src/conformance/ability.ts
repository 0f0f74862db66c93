/** What a case can need, how a driver claims it, and what must be refused where it does not. */
import type { AdminCall, Capabilities } from "@seaway/core/driver";
import type { CaseContext } from "./case-context.ts";

/** What a case can need of a driver. */
export type Ability =
  | "real-time"
  | "resumable"
  | "load-balanced"
  | "groups"
  | "settling"
  | "seek"
  | "headers"
  | "keys"
  | "message-ids"
  | "dedupe"
  | "shards"
  | "patterns"
  | "all-streams-pattern"
  | "fetch"
  | "pull"
  | "push"
  | "transactions"
  | "expected-sequence"
  | "retention"
  | `admin.${AdminCall}`;

/** Whether the capabilities claim the ability. */
export function claims(capabilities: Capabilities, ability: Ability): boolean {
  if (isAdminAbility(ability)) return capabilities.admin.includes(adminCall(ability));
  switch (ability) {
    case "real-time":
    case "resumable":
    case "load-balanced":
      return capabilities.modes.includes(ability);
    // Every backend has it: by itself, or by core with the broker's lease held.
    case "settling":
      return true;
    case "message-ids":
      return capabilities.messageIds;
    case "patterns":
      return capabilities.patterns === "any";
    case "all-streams-pattern":
      return capabilities.patterns !== "none";
    case "pull":
    case "push":
      return capabilities.delivery.includes(ability);
    case "expected-sequence":
      return capabilities.expectedSequence;
    default:
      return capabilities[ability];
  }
}

type AdminAbility = `admin.${AdminCall}`;

function isAdminAbility(ability: Ability): ability is AdminAbility {
  return ability.startsWith("admin.");
}

function adminCall(ability: AdminAbility): AdminCall {
  return ability.slice("admin.".length) as AdminCall;
}

/**
 * Uses the ability in the plainest way: where it is not claimed, this has to reject with `unsupported`.
 * A case may say a better one for itself.
 */
export async function attempt(ability: Ability, context: CaseContext): Promise<unknown> {
  const { streamer } = context;
  if (isAdminAbility(ability)) return attemptAdmin(adminCall(ability), context);
  switch (ability) {
    case "real-time":
      return streamer.createConsumer(context.freshStream());
    case "resumable":
    case "load-balanced":
      return streamer.createConsumer(context.freshStream(), { mode: ability, group: "g" });
    case "groups":
      return streamer.createConsumer(context.freshStream(), { mode: "resumable", group: "g" });
    case "seek":
      return (await streamer.createConsumer(context.freshStream())).rewind("beginning");
    case "headers":
      return (await streamer.createProducer(context.freshStream())).send("x", { headers: { name: "value" } });
    case "keys":
      return (await streamer.createProducer(context.freshStream())).send("x", { key: "key" });
    case "message-ids":
      return (await streamer.createProducer(context.freshStream())).send("x", { messageId: "id" });
    case "dedupe":
      return streamer.createProducer(context.freshStream(), { dedupe: true });
    case "shards":
      return streamer.createProducer(context.freshStream(), { shards: 2 });
    case "patterns":
      return streamer.createConsumer({ pattern: `${context.freshStream()}.*` });
    case "all-streams-pattern":
      return streamer.createConsumer({ pattern: "**" });
    case "fetch":
      return (await streamer.createConsumer(context.freshStream())).fetch({ maxMessages: 1, expiresMs: 0 });
    case "retention":
      return streamer.admin.createStream(context.freshStream(), { retention: { maxMessages: 10 } });
    default:
      throw new Error(`nobody has written yet how "${ability}" is refused: add it to attempt()`);
  }
}

async function attemptAdmin(call: AdminCall, context: CaseContext): Promise<unknown> {
  const { admin } = context.streamer;
  const streamKey = context.freshStream();
  switch (call) {
    case "createStream":
      return admin.createStream(streamKey);
    case "deleteStream":
      return admin.deleteStream(streamKey);
    case "listStreams":
      return admin.listStreams();
    case "streamInfo":
      return admin.streamInfo(streamKey);
    case "trim":
      return admin.trim(streamKey, "end");
    case "listGroups":
      return admin.listGroups(streamKey);
    case "groupInfo":
      return admin.groupInfo(streamKey, "g");
    case "setGroup":
      return admin.resetGroup(streamKey, "g", "end");
    case "deleteGroup":
      return admin.deleteGroup(streamKey, "g");
  }
}
