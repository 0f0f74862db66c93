// Plants wrong imports in a folder of its own and expects each to be found, and the right ones to be let through.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findViolations } from "./package-arrows.mjs";

function plant(/** @type {Record<string, string>} */ files) {
  const root = mkdtempSync(join(tmpdir(), "seaway-arrows-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries({
    "packages/core/package.json": "{}",
    "packages/file/package.json": "{}",
    "packages/testkit/package.json": "{}",
    ...files,
  })) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return findViolations(root);
}

test.each([
  ["a driver that imports core's main entry", "packages/file/src/a.ts", 'import { connect } from "@seaway/core";'],
  ["a driver that imports a type of core's main entry", "packages/file/src/a.ts", 'import type { Streamer } from "@seaway/core";'],
  ["a driver that imports another driver", "packages/file/src/a.ts", 'const m = await import("@seaway/redis");'],
  ["a driver whose src imports the testkit", "packages/file/src/a.ts", 'export { brokers } from "@seaway/testkit";'],
  ["a driver that reaches into core's files", "packages/file/src/a.ts", 'import { x } from "../../core/src/x.ts";'],
  ["a test that reaches into another driver", "packages/file/test/a.test.ts", 'import { redis } from "@seaway/redis";'],
  ["the testkit that imports a driver", "packages/testkit/src/a.ts", 'type F = import("@seaway/file").FileOptions;'],
  ["core that imports a driver", "packages/core/src/a.ts", 'import { file } from "@seaway/file";'],
  ["core that imports a broker's client", "packages/core/src/a.ts", 'import Redis from "ioredis";'],
  ["a core test that imports the testkit", "packages/core/src/a.test.ts", 'import { brokers } from "@seaway/testkit";'],
  ["a driver that depends on another driver", "packages/file/package.json", '{ "dependencies": { "@seaway/redis": "*" } }'],
])("finds %s", (_, path, text) => {
  expect(plant({ [path]: text })).toEqual([expect.stringContaining(path)]);
});

test.each([
  ["a driver on the driver contract", "packages/file/src/a.ts", 'import { x } from "@seaway/core/driver"; import { y } from "./y.ts";'],
  ["a driver's addition to core's types", "packages/file/src/a.ts", 'import type {} from "@seaway/core"; declare module "@seaway/core" {}'],
  ["a driver's tests on core and the testkit", "packages/file/src/a.test.ts", 'import "@seaway/testkit"; import "@seaway/core";'],
  [
    "core's optional peers",
    "packages/core/package.json",
    JSON.stringify({ peerDependencies: { "@seaway/x": "*" }, peerDependenciesMeta: { "@seaway/x": { optional: true } } }),
  ],
])("lets %s through", (_, path, text) => {
  expect(plant({ [path]: text })).toEqual([]);
});
