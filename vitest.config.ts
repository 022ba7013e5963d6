import { defineConfig } from "vitest/config";

const globalSetup = ["tests/kit/src/global-setup.ts"];

export default defineConfig({
  test: {
    // For two cores: tests wait for servers much of the time, so a third worker helps.
    maxWorkers: 3,
    // The limit of a poll. Only failures take this long.
    expect: { poll: { timeout: 10_000 } },
    coverage: {
      provider: "v8",
      include: ["{libs,services,examples}/*/src/**/*.ts"],
      // End-to-end tests run main.ts in other processes, which are not measured.
      exclude: ["{services,examples}/*/src/main.ts", "{services,examples}/*/src/db/migrations/**"],
      reporter: ["text-summary", "html", "json-summary"],
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{libs,services,examples,tools,tests}/**/test/unit/**/*.test.ts"],
          // Some start a program or render the manifests, which is slow on a busy machine.
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{libs,services,examples,tools,tests}/**/test/integration/**/*.test.ts"],
          globalSetup,
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          globalSetup,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "guides",
          include: ["tests/guides/*.test.ts"],
          // A guide runs the tests and checks that it names, in an installed copy of the repository.
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
