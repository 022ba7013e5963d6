import { type AuthOperations, openOperations } from "@gatehouse/auth/operations";
import { OperatorError } from "@gatehouse/errors";
import type { StackAddresses } from "@gatehouse/local-stack";
import { openConnection } from "@gatehouse/messaging";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadSecrets } from "../start/secrets.ts";
import { readOptionalFile, readStackEnvironment } from "../start/settings.ts";
import type { Terminal } from "./terminal.ts";

interface Surroundings {
  /** The variables of the process over those of .env. */
  readonly environment: NodeJS.ProcessEnv;
  /** STACK_DIR. */
  readonly dir: string;
  /** Of the stack that runs in `dir`; undefined when none runs. */
  readonly addresses: StackAddresses | undefined;
}

async function lookAround({ variables }: Terminal): Promise<Surroundings> {
  const envFile = readOptionalFile(fileURLToPath(new URL("../../.env", import.meta.url)));
  const { dir, environment } = readStackEnvironment(variables, envFile, process.cwd());
  // An image has these commands without the local stack's modules: they are loaded only where the folder exists.
  const stack = existsSync(dir) ? await import("../start/addresses.ts") : undefined;
  return { environment, dir, addresses: stack?.findAddresses(dir) };
}

const CLIENT_NAME = "gatehouse-ops";

export interface FoundBus {
  readonly url: string;
  readonly name: string;
  readonly connection: Awaited<ReturnType<typeof openConnection>>;
}

/**
 * Connects to NATS_URL, or to the bus of the stack in STACK_DIR.
 * @throws OperatorError when neither is set or the server rejects the connection
 */
export async function findBus(terminal: Terminal): Promise<FoundBus> {
  const { addresses, dir, environment } = await lookAround(terminal);
  const url = environment["NATS_URL"] || addresses?.natsUrl;
  if (!url)
    throw new OperatorError(
      `NATS_URL is not set, and no stack runs in ${dir}.\n` +
        "Set NATS_URL, or start a stack with `pnpm start` (STACK_DIR names its folder).",
    );
  try {
    return { url, name: CLIENT_NAME, connection: await openConnection({ url, name: CLIENT_NAME }) };
  } catch (error) {
    const withoutCredentials = url.replaceAll(/[^/,@\s]*@/g, "");
    throw new OperatorError(
      `NATS at ${withoutCredentials} rejected the connection (${(error as Error).message}).\n` +
        "Check that the server runs, and the user and password in NATS_URL.",
    );
  }
}

/**
 * Calls `work` with auth's operations on AUTH_DATABASE_URL, or on the database of the stack in STACK_DIR.
 * @throws OperatorError when neither is set; ConfigError
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
    `AUTH_DATABASE_URL is not set, and no stack runs in ${dir}.\n` +
      "Run this with the environment of auth, or start a stack with `pnpm start` (STACK_DIR names its folder).",
  );
}
