/** The file driver against the suite of all drivers. */
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "@seaway/file";
import { type ConformanceHarness, conformance } from "@seaway/testkit";
import { afterAll, describe, it } from "vitest";

const STORE = "the file's group store";
const directory = await mkdtemp(join(tmpdir(), "seaway-file-"));
let path = "";

const harness: ConformanceHarness = {
  name: "file",
  driver: file(),
  url: () => {
    path = join(directory, `${crypto.randomUUID()}.ss`);
    return `file://${path}`;
  },
  malform: (_streamKey, bytes) => appendFile(path, bytes),
  child: { directory: import.meta.dirname, specifier: "@seaway/file", factory: "file" },
  pending: (
    [
      "resumable",
      "load-balanced",
      "groups",
      "settling",
      "dedupe",
      "admin.listGroups",
      "admin.groupInfo",
      "admin.setGroup",
      "admin.deleteGroup",
    ] as const
  ).map((ability) => [ability, STORE] as const),
};

afterAll(() => rm(directory, { recursive: true }));
conformance(harness, { describe, it });
