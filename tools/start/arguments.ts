import { parseArgs } from "node:util";

/** What the user did wrong; shown without a stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface StackArguments {
  readonly help: boolean;
  readonly fresh: boolean;
  readonly observe: boolean;
}

/** @throws UsageError for anything that is not an option of ours */
export function parseStackArguments(args: readonly string[]): StackArguments {
  try {
    const { values } = parseArgs({
      // pnpm hands over the `--` of `pnpm start -- --fresh`.
      args: args.filter((argument) => argument !== "--"),
      options: {
        fresh: { type: "boolean", default: false },
        observe: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(". ")[0]}. See --help.`);
  }
}

export function helpText(command: "start" | "dev"): string {
  const purpose =
    command === "start"
      ? "Runs the whole system on this machine: PostgreSQL, NATS, Redis, auth, user and gateway."
      : "Runs the whole system as `pnpm start` does, and restarts a service when its files change.";
  return `Usage: pnpm ${command} [--fresh] [--observe]

${purpose}
Ends with Ctrl-C. Says "gatehouse ready on URL" when requests are answered.

  --fresh     begin empty: removes the databases, streams and secrets in STACK_DIR first
  --observe   print the trace of each request: which service, which statement, which event, and how long each took
  -h, --help  this text

Variables, from the environment or .env (.env.example has all of them):
  STACK_DIR                                   where data and generated secrets are kept (.stack)
  GATEWAY_PORT, AUTH_PORT, USER_PORT          8000, 8001, 8002
  DATABASE_URL, NATS_URL, REDIS_URL           servers to use instead of starting some
  FIRST_ADMIN_EMAIL, FIRST_ADMIN_PASSWORD     the first admin, made when there is none
  NO_COLOR                                    traces without colours
`;
}
