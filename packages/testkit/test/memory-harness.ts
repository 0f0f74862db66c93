import { memory } from "@seaway/core/memory";
import type { ConformanceHarness } from "@seaway/testkit";
import { malformable } from "./malformable.ts";

const { driver, malform } = malformable(memory());
const GROUPS = "the stage of groups and settling";

export const memoryHarness: ConformanceHarness = {
  name: "memory",
  driver,
  malform,
  url: () => `memory://conformance-${crypto.randomUUID()}`,
  child: { directory: import.meta.dirname, specifier: "@seaway/core/memory", factory: "memory" },
  pending: [
    ["resumable", GROUPS],
    ["load-balanced", GROUPS],
    ["groups", GROUPS],
    ["settling", GROUPS],
    ["admin.listGroups", GROUPS],
    ["admin.groupInfo", GROUPS],
    ["admin.setGroup", GROUPS],
    ["admin.deleteGroup", GROUPS],
  ],
};
