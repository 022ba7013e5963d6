import { execFile } from "node:child_process";

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
  /** Why it failed: what it wrote to standard error, or how it ended. Empty when it did not. */
  readonly reason: string;
}

/** Runs a command to its end, within 10 s unless told. A failure is a result, not an exception; an abort is one. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { folder, environment, uid, gid, withinMs = 10_000, signal } = options;
  return new Promise((resolve, reject) => {
    const settings = {
      cwd: folder,
      env: environment,
      timeout: withinMs,
      maxBuffer: 16 * 1024 * 1024,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(signal === undefined ? {} : { signal }),
    };
    execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, stdout, reason: "" });
      else if (signal?.aborted) reject(signal.reason as Error);
      else if (error.killed) resolve({ ok: false, stdout, reason: `no answer within ${withinMs / 1000} s` });
      else resolve({ ok: false, stdout, reason: stderr.trim() || error.message });
    });
  });
}
