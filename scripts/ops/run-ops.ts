import { Command, CommanderError } from "commander";
import { UsageError } from "../stack/arguments.ts";
import { deadCommand } from "./events/dead.command.ts";
import { replayCommand } from "./events/replay.command.ts";
import { tailCommand } from "./events/tail.command.ts";
import { OpsError } from "./ops-error.ts";
import type { Terminal } from "./terminal/terminal.ts";

const WHERE = `
The bus is the one that NATS_URL names, from the environment or .env, else that of the stack that \`pnpm start\` runs in STACK_DIR (.stack).`;

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
  const events = new Command("events").description("events on the bus: follow them, find and replay dead letters");
  for (const command of [tailCommand(terminal), deadCommand(terminal), replayCommand(terminal)])
    events.addCommand(command.addHelpText("after", WHERE));
  const program = new Command("pnpm ops").description("What operators do beside the running system.");
  program.addCommand(events);
  for (const command of [program, events, ...events.commands]) tie(command, terminal);
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
  if (error instanceof OpsError || error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
