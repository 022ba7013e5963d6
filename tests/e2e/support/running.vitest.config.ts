import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** For tests of a system that `pnpm test:compose` or `pnpm test:cluster` has started. */
export default defineConfig({
  root: fileURLToPath(new URL("../../../", import.meta.url)),
  test: {
    include: ["tests/{compose,cluster,e2e}/*.test.ts"],
    // All tests share one system and stop its parts.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
