// What `npm run nightly` runs: the long tests, `*.nightly.test.ts` in any package's test folder and in bench, one file at a time.
import { defineConfig } from "vitest/config";
import daily from "./vitest.config.ts";

export default defineConfig({
  ...daily,
  test: {
    ...daily.test,
    include: ["packages/*/test/**/*.nightly.test.ts", "bench/**/*.nightly.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    fileParallelism: false,
    testTimeout: 4 * 60 * 60_000,
  },
});
