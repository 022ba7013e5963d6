import { OperatorError } from "@gatehouse/errors";
import { isTransientDatabaseError } from "@gatehouse/database";
import { isPermissionViolation } from "@gatehouse/messaging";
import { Command, CommanderError } from "commander";
import { adminCommand, keysCommand, tokensCommand } from "./auth.commands.ts";
import { deadCommand } from "./events/dead.command.ts";
import { replayCommand } from "./events/replay.command.ts";
import { tailCommand } from "./events/tail.command.ts";
import type { Terminal } from "./terminal.ts";

const BUS = `
Connects to NATS_URL from the environment or .env, else to the bus of the stack that \`pnpm start\` runs in STACK_DIR (.stack).`;
const AUTH = `
Uses auth's environment (AUTH_DATABASE_URL and others) from the environment or .env, else that of the stack that
\`pnpm start\` runs in STACK_DIR (.stack).`;

/** Runs one command to its end. @returns the exit code */
export async function runOps(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(args, { from: "user" });
    return terminal.exitCode;
  } catch (error) {
    // Commander has printed the error.
    if (error instanceof CommanderError) return error.exitCode;
    terminal.errors.write(`${describe(error)}\n`);
    return 1;
  }
}

function createProgram(terminal: Terminal): Command {
  const events = new Command("events").description("follow events; find and replay dead letters");
  for (const command of [tailCommand, deadCommand, replayCommand]) events.addCommand(command(terminal));
  const groups = [
    ...[adminCommand(terminal), keysCommand(terminal), tokensCommand(terminal)].map((group) => ({
      group,
      where: AUTH,
    })),
    { group: events, where: BUS },
  ];
  const program = new Command("pnpm ops").description("Commands for operators of a running system.");
  tie(program, terminal);
  for (const { group, where } of groups) {
    program.addCommand(group);
    tie(group, terminal);
    for (const command of group.commands) tie(command.addHelpText("after", where), terminal);
  }
  return program;
}

/** Makes a command print to the terminal, and throw instead of ending the process. */
function tie(command: Command, { errors, print }: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => print(text.trimEnd()),
    writeErr: (text) => errors.write(text),
  });
}

function describe(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  if (isTransientDatabaseError(error))
    return "PostgreSQL does not reply. Check that the server runs, and AUTH_DATABASE_URL.";
  if (isPermissionViolation(error))
    return `NATS rejected this: ${(error as Error).message}.\nNATS_URL needs the user \`ops\` (docs/operations/nats.md).`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
