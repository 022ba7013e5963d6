import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { killGroup } from "./end-process.ts";
import { type LogTail, tailLog } from "./log-tail.ts";
import type { PidRecords, ProcessKind } from "./pid-records.ts";

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly kind: ProcessKind;
  /** What asks it to end in order. */
  readonly stopSignal: NodeJS.Signals;
  /** How long it may take over that before SIGKILL. */
  readonly stopWithinMs: number;
  readonly records?: PidRecords | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Log lines kept for error messages and assertions. */
  readonly keepLines?: number;
}

/** A child process of ours, from its spawn to its end. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: LogTail;
  /** Settles when the process has ended, with a text such as "exit code 1". Never rejects. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end (by its stop signal unless told), waits, and kills it when it takes too long. Says how it ended. */
  stop(signal?: NodeJS.Signals): Promise<string>;
}

/** The process ended before it was ready; the message carries its last log lines. */
export class ProcessEndedError extends Error {
  readonly log: string;

  constructor(name: string, how: string, log: string) {
    super(`${name} ended at its start (${how})${log === "" ? "" : `. Its last lines:\n${log}`}`);
    this.name = "ProcessEndedError";
    this.log = log;
  }
}

/** Spawns a process in a process group of its own, so that a terminal's Ctrl-C reaches only us and we end it in order. */
export async function spawnManaged(options: ProcessOptions): Promise<ManagedProcess> {
  const child: ChildProcess & {
    stdout: NonNullable<ChildProcess["stdout"]>;
    stderr: NonNullable<ChildProcess["stderr"]>;
  } = spawn(options.command, [...options.args], {
    cwd: options.folder,
    env: options.environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, "error")) as [Error];
    throw new Error(`${options.name} cannot be run: ${error.message}`);
  }
  options.records?.add({ name: options.name, kind: options.kind, stopSignal: options.stopSignal }, pid);
  const log = tailLog([child.stdout, child.stderr], options.keepLines ?? 200, options.onLine);
  let over = false;
  const closed = once(child, "close");
  const ended = once(child, "exit").then(async ([code, signal]) => {
    over = true;
    options.records?.remove(pid);
    // The last of the output, for error messages; not for ever, since a grandchild may hold the pipe.
    await Promise.race([closed, delay(200)]);
    return signal === null ? `exit code ${String(code)}` : `signal ${String(signal)}`;
  });
  const kill = (signal: NodeJS.Signals) => void (over || child.kill(signal));
  return {
    name: options.name,
    pid,
    log,
    ended,
    hasEnded: () => over,
    kill,
    async stop(signal = options.stopSignal) {
      kill(signal);
      const timer = over ? undefined : setTimeout(() => killGroup(pid), options.stopWithinMs);
      const how = await ended;
      clearTimeout(timer);
      return how;
    },
  };
}

/**
 * Waits until `isReady` says so, asking again every few milliseconds for as long as the process lives.
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
    if (child.hasEnded())
      throw new ProcessEndedError(child.name, await child.ended, child.log.lines.slice(-20).join("\n"));
    if (performance.now() > deadline) throw new Error(`${child.name} was not ready within ${withinMs / 1000} s`);
    await delay(15);
  }
}
