import { defineConfig } from "vitest/config";

const globalSetup = ["tests/kit/src/global-setup.ts"];

export default defineConfig({
  test: {
    // Two cores run the suite, and the servers that are tested want a share of them. Much of the time everybody waits, so a third worker helps.
    maxWorkers: 3,
    // How long a test waits for what it expects to happen. It ends as soon as that does, so only failures take so long.
    expect: { poll: { timeout: 10_000 } },
    coverage: {
      provider: "v8",
      include: ["{libs,services,examples}/*/src/**/*.ts"],
      // A process is a composition of what is measured here; its own lines run in the end-to-end tests, outside this process.
      exclude: ["{services,examples}/*/src/main.ts", "{services,examples}/*/src/db/migrations/**"],
      reporter: ["text-summary", "html", "json-summary"],
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{libs,services,examples,tools,tests}/**/test/unit/**/*.test.ts"],
          // Some start a program of ours or render the manifests, which takes a busy machine its time.
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
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
