import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { REPOSITORY_ROOT } from "../repository.ts";
import { killGroup } from "./identity.ts";

export interface CommandOptions {
  readonly folder?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly withinMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Why it failed: its standard error, or how it ended. Empty when it succeeded. */
  readonly reason: string;
}

/**
 * Runs a command to its end, within 10 s unless `withinMs` is given. A failure is a result; only an abort rejects.
 * Kills the command and its children when the time is over or the signal aborts.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { folder, environment, uid, gid, withinMs = 10_000, signal }: CommandOptions = {},
): Promise<CommandResult> {
  signal?.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, "error")) as [Error];
    return { ok: false, stdout: "", reason: error.message };
  }
  let late = false;
  const kill = () => killGroup(pid);
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, withinMs);
  signal?.addEventListener("abort", kill, { once: true });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, how] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  signal?.throwIfAborted();
  const [stdout, stderr] = await output;
  if (code === 0) return { ok: true, stdout, reason: "" };
  const reason = late ? `no answer within ${withinMs / 1000} s` : stderr.trim() || `it ended with ${code ?? how}`;
  return { ok: false, stdout, reason };
}

/**
 * Runs a command in the repository's root, within two minutes unless `withinMs` is given.
 * @returns its standard output, trimmed
 * @throws Error with its standard error when it fails
 */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { withinMs = 120_000, signal }: Pick<CommandOptions, "withinMs" | "signal"> = {},
): Promise<string> {
  const options = { environment, folder: REPOSITORY_ROOT, withinMs, signal };
  const { ok, stdout, reason } = await runCommand(command, args, options);
  if (!ok) throw new Error(`${command} ${args.join(" ")}: ${reason}`);
  return stdout.trim();
}
