import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { killGroup } from "./identity.ts";
import type { PidRecords, ProcessKind } from "./pid-records.ts";

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly kind: ProcessKind;
  readonly stopSignal: NodeJS.Signals;
  /** Milliseconds between the stop signal and SIGKILL. */
  readonly stopWithinMs: number;
  readonly records?: PidRecords | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** A child process of ours. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  /** The last 200 lines of its output. */
  readonly lines: readonly string[];
  /** Settles when the process has ended, with a text such as "exit code 1". Never rejects. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** Sends `signal` (its stop signal unless given), waits, and kills it after `stopWithinMs`. Returns how it ended. */
  stop(signal?: NodeJS.Signals): Promise<string>;
}

/** A process ended before it was ready; the message contains its last log lines. */
export class ProcessEndedError extends Error {
  override readonly name = "ProcessEndedError";
  readonly log: string;

  constructor(name: string, how: string, log: string) {
    super(`${name} ended while it started (${how})${log === "" ? "" : `. Its last lines:\n${log}`}`);
    this.log = log;
  }
}

const KEPT_LINES = 200;

/** Spawns a process in its own process group, so that Ctrl-C in a terminal reaches only us and we stop it in order. */
export async function spawnManaged(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, command, args, environment, folder, uid, gid, kind, stopSignal, stopWithinMs, records, onLine } =
    options;
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, [...args], {
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
    throw new Error(`${name} cannot be run: ${error.message}`);
  }
  records?.add({ name, kind, stopSignal }, pid);
  const lines: string[] = [];
  // A full pipe would stop the writer: both streams are read to their end.
  for (const input of [child.stdout, child.stderr])
    createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine?.(line);
    });
  let over = false;
  const closed = once(child, "close");
  const ended = once(child, "exit").then(async ([code, signal]) => {
    over = true;
    records?.remove(pid);
    // The rest of the output, for error messages. A grandchild may keep the pipe open.
    await Promise.race([closed, delay(200)]);
    return signal === null ? `exit code ${String(code)}` : `signal ${String(signal)}`;
  });
  return {
    name,
    pid,
    lines,
    ended,
    hasEnded: () => over,
    async stop(signal = stopSignal) {
      if (!over) child.kill(signal);
      const timer = over ? undefined : setTimeout(() => killGroup(pid), stopWithinMs);
      const how = await ended;
      clearTimeout(timer);
      return how;
    },
  };
}

/**
 * Polls `isReady` every 15 ms while the process runs.
 * @throws ProcessEndedError when it ends first; Error after `withinMs`
 */
export async function waitUntilReady(
  child: ManagedProcess,
  isReady: () => Promise<boolean>,
  { withinMs = 60_000, signal }: { withinMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isReady())) {
    signal?.throwIfAborted();
    if (child.hasEnded()) throw new ProcessEndedError(child.name, await child.ended, child.lines.slice(-20).join("\n"));
    if (performance.now() > deadline) throw new Error(`${child.name} was not ready within ${withinMs / 1000} s`);
    await delay(15);
  }
}
