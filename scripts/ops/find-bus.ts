import { openConnection } from "@gatehouse/messaging";
import { REPOSITORY_ROOT } from "@gatehouse/testing/stack";
import { join } from "node:path";
import { findAddresses } from "../stack/addresses.ts";
import { readOptionalFile, readSettings } from "../stack/settings.ts";
import { OpsError } from "./ops-error.ts";
import type { Terminal } from "./terminal/terminal.ts";

const CLIENT_NAME = "gatehouse-ops";

export interface FoundBus {
  readonly url: string;
  readonly name: string;
  readonly connection: Awaited<ReturnType<typeof openConnection>>;
}

/**
 * The bus that NATS_URL names, else that of the stack in STACK_DIR.
 * @throws OpsError when there is none or it does not let us in
 */
export async function findBus({ variables }: Terminal): Promise<FoundBus> {
  const url = busUrl(variables);
  try {
    return { url, name: CLIENT_NAME, connection: await openConnection({ url, name: CLIENT_NAME }) };
  } catch (error) {
    throw new OpsError(
      `NATS at ${withoutCredentials(url)} does not let us in (${(error as Error).message}).\n` +
        "Is the server running, and is NATS_URL right, user and password included?",
    );
  }
}

function busUrl(variables: NodeJS.ProcessEnv): string {
  const envFile = readOptionalFile(join(REPOSITORY_ROOT, ".env"));
  const { dir, environment } = readSettings(variables, envFile, process.cwd());
  const url = environment["NATS_URL"] || findAddresses(dir)?.natsUrl;
  if (url) return url;
  throw new OpsError(
    `There is no bus to talk to: NATS_URL is not set, and no stack runs in ${dir}.\n` +
      "Set NATS_URL, or start a stack with `pnpm start` (STACK_DIR names its folder).",
  );
}

function withoutCredentials(urls: string): string {
  return urls.replaceAll(/[^/,@\s]*@/g, "");
}
