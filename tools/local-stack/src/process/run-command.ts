import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { killGroup } from "./end-process.ts";

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

/**
 * Runs a command to its end, within 10 s unless told. A failure is a result, not an exception; an abort is one.
 * When it is cut short it and its own children are gone before this returns.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { folder, environment, uid, gid, withinMs = 10_000, signal } = options;
  signal?.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, "error")) as [Error];
    return { ok: false, stdout: "", reason: error.message };
  }
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  let late = false;
  const kill = () => killGroup(pid);
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, withinMs);
  signal?.addEventListener("abort", kill, { once: true });
  const [code, how] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  signal?.throwIfAborted();
  if (code === 0) return { ok: true, stdout: stdout(), reason: "" };
  const reason = late ? `no answer within ${withinMs / 1000} s` : stderr().trim() || `it ended with ${code ?? how}`;
  return { ok: false, stdout: stdout(), reason };
}

function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
