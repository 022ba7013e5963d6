import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Of `pnpm test:compose`, which has brought up what these tests ask. */
export default defineConfig({
  root: fileURLToPath(new URL("../../", import.meta.url)),
  test: {
    include: ["tests/compose/*.test.ts", "tests/e2e/*.test.ts"],
    // One system for all, whose containers are stopped and killed.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
