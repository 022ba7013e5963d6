import { OperatorError } from "@gatehouse/errors";
import { type AuthOperations, openOperations } from "@gatehouse/auth/operations";
import { loadSecrets } from "../start/secrets.ts";
import { lookAround, type Surroundings } from "./surroundings.ts";
import type { Terminal } from "./terminal/terminal.ts";

/**
 * Lends `work` auth's operations, on the database that AUTH_DATABASE_URL names, else on that of the stack in STACK_DIR.
 * @throws OperatorError when there is neither; ConfigError
 */
export async function withAuth<T>(terminal: Terminal, work: (auth: AuthOperations) => Promise<T>): Promise<T> {
  const auth = await openOperations(await authEnvironment(await lookAround(terminal)));
  try {
    return await work(auth);
  } finally {
    await auth.close();
  }
}

async function authEnvironment({ addresses, dir, environment }: Surroundings): Promise<NodeJS.ProcessEnv> {
  const url = environment["AUTH_DATABASE_URL"];
  if (addresses !== undefined && (!url || url === addresses.databaseUrls.auth)) {
    const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
    const { serviceEnvironment } = await import("@gatehouse/local-stack");
    return serviceEnvironment("auth", { ...loadSecrets(dir), ...set }, addresses);
  }
  if (url) return environment;
  throw new OperatorError(
    `There is no database of auth: AUTH_DATABASE_URL is not set, and no stack runs in ${dir}.\n` +
      "Run this with the environment of auth, or start a stack with `pnpm start` (STACK_DIR names its folder).",
  );
}
