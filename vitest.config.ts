// What `vitest run` runs: every unit, package and docs test, with workspace packages taken from source, so that no build is needed.
import { defineConfig } from "vitest/config";

const conditions: string[] = ["@seaway/source", "module", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "docs/test/**/*.test.ts",
      "bench/src/**/*.test.ts",
      "scripts/*.test.mjs",
    ],
    exclude: ["**/*.nightly.test.ts", "**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
