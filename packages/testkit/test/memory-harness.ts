import { memory } from "@seaway/core/memory";
import type { ConformanceHarness } from "@seaway/testkit";
import { malformable } from "./malformable.ts";

const { driver, malform } = malformable(memory());

export const memoryHarness: ConformanceHarness = {
  name: "memory",
  driver,
  malform,
  url: () => `memory://conformance-${crypto.randomUUID()}`,
  child: { directory: import.meta.dirname, specifier: "@seaway/core/memory", factory: "memory" },
  shortLeases: ({ idleMs, intervalMs }) => ({
    leaseMs: idleMs,
    options: { memory: { claimIdleMs: idleMs, claimIntervalMs: intervalMs } },
  }),
};
