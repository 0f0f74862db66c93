import { conformance } from "@seaway/testkit";
import { describe, it } from "vitest";
import { memoryHarness } from "./memory-harness.ts";

conformance(memoryHarness, { describe, it }, { only: (process.env.ONLY ?? "").split(",") });
