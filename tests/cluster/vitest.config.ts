import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Of `pnpm test:cluster`, which has brought up what these tests ask. */
export default defineConfig({
  root: fileURLToPath(new URL("../../", import.meta.url)),
  test: {
    include: ["tests/cluster/*.test.ts", "tests/e2e/*.test.ts"],
    // One system for all, whose pods are replaced and deleted.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
