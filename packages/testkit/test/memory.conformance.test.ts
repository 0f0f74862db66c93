/** Memory against the suite: the reference driver of every other. */
import { conformance } from "@seaway/testkit";
import { describe, it } from "vitest";
import { memoryHarness } from "./memory-harness.ts";

conformance(memoryHarness, { describe, it });
