/** The floor: what each driver of the project must claim. Claiming less fails the suite. */
import type { AdminCall } from "@seaway/core/driver";
import type { Ability } from "./ability.ts";

const ADMIN_CALLS: readonly AdminCall[] = [
  "createStream",
  "deleteStream",
  "listStreams",
  "streamInfo",
  "trim",
  "listGroups",
  "groupInfo",
  "setGroup",
  "deleteGroup",
];

function adminBut(...left: readonly AdminCall[]): readonly Ability[] {
  return ADMIN_CALLS.filter((call) => !left.includes(call)).map((call) => `admin.${call}` as const);
}

const MODES: readonly Ability[] = ["real-time", "resumable", "load-balanced", "groups"];
const MESSAGES: readonly Ability[] = ["settling", "keys", "headers", "message-ids", "shards"];

const REQUIRED: Readonly<Record<string, readonly Ability[]>> = {
  memory: [...MODES, ...MESSAGES, "seek", "dedupe", "fetch", "pull", "retention", "patterns", ...adminBut()],
  file: [...MODES, ...MESSAGES, "seek", "dedupe", "fetch", "pull", "all-streams-pattern", ...adminBut("trim", "deleteStream")],
  redis: [...MODES, ...MESSAGES, "seek", "fetch", "pull", ...adminBut()],
  nats: [...MODES, ...MESSAGES, "seek", "dedupe", "fetch", "pull", "push", "expected-sequence", "retention", "patterns", ...adminBut()],
  kafka: [...MODES, ...MESSAGES, "seek", "fetch", "pull", "transactions", "retention", "patterns", ...adminBut()],
  stdio: ["real-time", "load-balanced", ...MESSAGES, "fetch"],
};

/** What the driver of this name must claim; of a stranger's, only that it reads in real time. */
export function requiredAbilities(name: string): readonly Ability[] {
  return REQUIRED[name] ?? ["real-time"];
}
