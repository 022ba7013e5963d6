import { REPOSITORY_ROOT } from "../repository-root.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

const COMMAND_MS = 120_000;

/**
 * Runs a command in the folder of the project to its end, within two minutes unless told.
 * @returns what it wrote to standard output
 * @throws with what it said when it failed
 */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { withinMs = COMMAND_MS, signal }: Pick<CommandOptions, "withinMs" | "signal"> = {},
): Promise<string> {
  const options = { environment, folder: REPOSITORY_ROOT, withinMs, signal };
  const { ok, stdout, reason } = await runCommand(command, args, options);
  if (!ok) throw new Error(`${command} ${args.join(" ")}: ${reason}`);
  return stdout.trim();
}
