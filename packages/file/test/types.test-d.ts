/** The `file` namespace is part of core's option types as soon as the package is imported. */
import { connect } from "@seaway/core";
import type {} from "@seaway/file";
import { test } from "vitest";

test("connect knows the file's options", () => {
  const use = () => [
    connect("file:///x.ss", {
      file: { create: "only", beaconInterval: 1024, sizeLimit: 4096, endWithEos: true, headers: false, pollIntervalMs: 5 },
    }),
    // @ts-expect-error there is only "only"
    connect("file:///x.ss", { file: { create: "always" } }),
    // @ts-expect-error a slip of the pen
    connect("file:///x.ss", { file: { beaconIntervall: 1024 } }),
  ];
  void use;
});
