import { OperatorError } from "@gatehouse/errors";
import { isTransientDatabaseError } from "@gatehouse/database";
import { isPermissionViolation } from "@gatehouse/messaging";
import { Command, CommanderError } from "commander";
import { adminCommand } from "./auth/admin.command.ts";
import { keysCommand } from "./auth/keys.command.ts";
import { tokensCommand } from "./auth/tokens.command.ts";
import { eventsCommand } from "./events/events.command.ts";
import type { Terminal } from "./terminal/terminal.ts";

const BUS = `
The bus is the one that NATS_URL names, from the environment or .env, else that of the stack that \`pnpm start\` runs in STACK_DIR (.stack).`;
const AUTH = `
Runs with the environment of auth, AUTH_DATABASE_URL and the rest, from the environment or .env, else with that of the stack that
\`pnpm start\` runs in STACK_DIR (.stack).`;

/** Runs one command to its end. @returns the exit code */
export async function runOps(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(args, { from: "user" });
    return terminal.exitCode;
  } catch (error) {
    // Commander has told what it had to tell.
    if (error instanceof CommanderError) return error.exitCode;
    terminal.errors.write(`${describe(error)}\n`);
    return 1;
  }
}

function createProgram(terminal: Terminal): Command {
  const groups = [
    ...[adminCommand(terminal), keysCommand(terminal), tokensCommand(terminal)].map((group) => ({
      group,
      where: AUTH,
    })),
    { group: eventsCommand(terminal), where: BUS },
  ];
  const program = new Command("pnpm ops").description("What operators do beside the running system.");
  tie(program, terminal);
  for (const { group, where } of groups) {
    program.addCommand(group);
    tie(group, terminal);
    for (const command of group.commands) tie(command.addHelpText("after", where), terminal);
  }
  return program;
}

/** Makes a command speak through the terminal, and throw where it would end the process. */
function tie(command: Command, { errors, print }: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => print(text.trimEnd()),
    writeErr: (text) => errors.write(text),
  });
}

function describe(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  if (isTransientDatabaseError(error))
    return "PostgreSQL does not answer. Is the server running, and is AUTH_DATABASE_URL right?";
  if (isPermissionViolation(error))
    return `NATS does not permit this: ${(error as Error).message}.\nDoes NATS_URL name the user \`ops\` (docs/operations/nats.md)?`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
