/** Every suite by name. A backend's is a folder beside this file, with its baselines in `bench/baseline`. */
import type { Suite } from "../suite.ts";
import { fileSuite } from "./file/suite.ts";
import { memorySuite } from "./memory/suite.ts";

export const SUITES: readonly Suite[] = [memorySuite, fileSuite];
