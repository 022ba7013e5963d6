import { parseArgs } from "node:util";

/** An error of the user; printed without a stack trace. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface StackArguments {
  readonly help: boolean;
  readonly fresh: boolean;
  readonly observe: boolean;
}

/** @throws UsageError for an unknown option */
export function parseStackArguments(args: readonly string[]): StackArguments {
  try {
    const { values } = parseArgs({
      // pnpm passes on the `--` of `pnpm start -- --fresh`.
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
      : "Runs the whole system as `pnpm start` does, and restarts a service when a file of it or of libs is saved.";
  return `Usage: pnpm ${command} [--fresh] [--observe]

${purpose}
Stops with Ctrl-C. Prints "gatehouse ready on URL" when it accepts requests.

  --fresh     start empty: first remove the databases, streams and secrets in STACK_DIR
  --observe   print a trace of each request with its services, statements, events and durations
  -h, --help  print this help

Variables, from the environment or .env (all variables: .env.example):
  STACK_DIR                                   folder for data and generated secrets (.stack)
  GATEWAY_PORT, AUTH_PORT, USER_PORT          8000, 8001, 8002
  POSTGRES_PORT, NATS_PORT, REDIS_PORT        free ports, which STACK_DIR keeps
  DATABASE_URL, NATS_URL, REDIS_URL           existing servers to use instead
  FIRST_ADMIN_EMAIL, FIRST_ADMIN_PASSWORD     the first admin, created when there is none
  NO_COLOR                                    traces without colors
`;
}
