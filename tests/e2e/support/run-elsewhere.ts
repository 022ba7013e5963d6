import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";

const VITEST = fileURLToPath(new URL("../../../node_modules/vitest/vitest.mjs", import.meta.url));
const CONFIG = fileURLToPath(new URL("running.vitest.config.ts", import.meta.url));

/** Tests that need only a gateway, and few enough users to page through. */
export const GATEWAY_TESTS: readonly string[] = ["access", "bad-input", "client", "journey", "readme"].map(
  (name) => `tests/e2e/${name}.test.ts`,
);

/** No limits: all tests have one address. */
export const GATEWAY_VARIABLES = { RATE_LIMIT_ENABLED: "false" };
/** The cheapest real hashes. */
export const AUTH_VARIABLES = { ARGON2_MEMORY_KIB: "8192", ARGON2_TIME_COST: "1" };
/** For auth and user. Tests send it to the gateway, which must reject it. */
export const INTERNAL_API_TOKEN: string = randomBytes(32).toString("base64url");

/**
 * Runs test files on a running system with the variables above.
 * @param url of its gateway
 * @returns whether all passed
 */
export function runElsewhere(
  url: string,
  files: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<boolean> {
  const child = spawn(process.execPath, [VITEST, "run", "--config", CONFIG, ...files], {
    env: { ...process.env, ...environment, E2E_URL: url, E2E_INTERNAL_API_TOKEN: INTERNAL_API_TOKEN },
    stdio: "inherit",
  });
  return new Promise((resolve) => child.once("exit", (code) => resolve(code === 0)));
}

/** Returns a variable that the command sets for its tests. @throws Error when it is not set */
export function variableOf(command: string, name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set. Run these tests with \`pnpm ${command}\`.`);
  return value;
}
