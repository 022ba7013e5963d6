import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";

const VITEST = fileURLToPath(new URL("../../../node_modules/vitest/vitest.mjs", import.meta.url));

/** What needs nothing but a gateway, and no more users than a test has time to page through. */
export const GATEWAY_TESTS: readonly string[] = ["access", "bad-input", "client", "journey", "readme"].map(
  (name) => `tests/e2e/${name}.test.ts`,
);

/** Limits off, since the tests come from one address. */
export const GATEWAY_VARIABLES = { RATE_LIMIT_ENABLED: "false" };
/** The cheapest hashes that are still the real thing. */
export const AUTH_VARIABLES = { ARGON2_MEMORY_KIB: "8192", ARGON2_TIME_COST: "1" };
/** For auth and user; tests show it to the gateway, behind which it must open nothing. */
export const INTERNAL_API_TOKEN: string = randomBytes(32).toString("base64url");

/**
 * Runs test files on a system that has the variables above.
 * @param config of Vitest
 * @param url of its gateway
 * @returns whether all passed
 */
export function runElsewhere(
  config: string,
  url: string,
  files: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<boolean> {
  const child = spawn(process.execPath, [VITEST, "run", "--config", config, ...files], {
    env: { ...process.env, ...environment, E2E_URL: url, E2E_INTERNAL_API_TOKEN: INTERNAL_API_TOKEN },
    stdio: "inherit",
  });
  return new Promise((resolve) => child.once("exit", (code) => resolve(code === 0)));
}
