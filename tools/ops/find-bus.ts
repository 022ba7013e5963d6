import { OperatorError } from "@gatehouse/errors";
import { openConnection } from "@gatehouse/messaging";
import { lookAround, type Surroundings } from "./surroundings.ts";
import type { Terminal } from "./terminal/terminal.ts";

const CLIENT_NAME = "gatehouse-ops";

export interface FoundBus {
  readonly url: string;
  readonly name: string;
  readonly connection: Awaited<ReturnType<typeof openConnection>>;
}

/**
 * The bus that NATS_URL names, else that of the stack in STACK_DIR.
 * @throws OperatorError when there is none or it does not let us in
 */
export async function findBus(terminal: Terminal): Promise<FoundBus> {
  const url = busUrl(await lookAround(terminal));
  try {
    return { url, name: CLIENT_NAME, connection: await openConnection({ url, name: CLIENT_NAME }) };
  } catch (error) {
    throw new OperatorError(
      `NATS at ${withoutCredentials(url)} does not let us in (${(error as Error).message}).\n` +
        "Is the server running, and is NATS_URL right, user and password included?",
    );
  }
}

function busUrl({ addresses, dir, environment }: Surroundings): string {
  const url = environment["NATS_URL"] || addresses?.natsUrl;
  if (url) return url;
  throw new OperatorError(
    `There is no bus to talk to: NATS_URL is not set, and no stack runs in ${dir}.\n` +
      "Set NATS_URL, or start a stack with `pnpm start` (STACK_DIR names its folder).",
  );
}

function withoutCredentials(urls: string): string {
  return urls.replaceAll(/[^/,@\s]*@/g, "");
}
