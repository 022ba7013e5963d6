import { freePort, isAlive, type ProcessIdentity } from "@gatehouse/local-stack";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A running `pnpm start`. */
export interface StartCommand {
  /** Its output so far. */
  readonly lines: readonly string[];
  /** Resolves with the URL of the ready line. @throws Error with the output when the command ends before that line */
  ready(): Promise<string>;
  /** Resolves when it has printed `times` lines with this text. Default: 1. */
  says(text: string, times?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code or the signal. */
  ended(): Promise<number | string>;
}

export interface StackVariables {
  readonly STACK_DIR: string;
  readonly [name: string]: string;
}

/** The tests look for a process of each part. */
const WITHOUT_DOCKER = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
const CHEAP = { ARGON2_MEMORY_KIB: "8192", ARGON2_TIME_COST: "1" };

/** Variables of a stack on free ports, with cheap hashing. */
export async function stackVariables(dir: string): Promise<StackVariables> {
  const [gateway, auth, user] = [await freePort(), await freePort(), await freePort()];
  const ports = { GATEWAY_PORT: String(gateway), AUTH_PORT: String(auth), USER_PORT: String(user) };
  return { STACK_DIR: dir, ...ports, LOG_LEVEL: "warn", RATE_LIMIT_ENABLED: "false", ...CHEAP };
}

/** Runs the command below a process that replaces pnpm; `kill` ends that process. */
export function runStartBelowPnpm(variables: StackVariables): StartCommand {
  const script = `"${process.execPath}" tools/start/main.ts; exit $?`;
  return run("sh", ["-c", script], { ...variables, npm_lifecycle_event: "start" });
}

export function runStart(variables: StackVariables, ...args: string[]): StartCommand {
  return run(process.execPath, ["tools/start/main.ts", ...args], variables);
}

export function runDev(variables: StackVariables): StartCommand {
  return run(process.execPath, ["tools/dev/main.ts"], variables);
}

function run(command: string, args: readonly string[], variables: StackVariables): StartCommand {
  const child = spawn(command, args, {
    cwd: ROOT,
    // The test run's environment could name a developer's own servers, so the command does not inherit it.
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...WITHOUT_DOCKER, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const listener of listeners) listener();
    });
  const waitFor = (text: string, times = 1) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        const found = lines.filter((line) => line.includes(text))[times - 1];
        if (found === undefined) return;
        listeners.delete(check);
        resolve(found);
      };
      listeners.add(check);
      void ended.then(() => reject(new Error(`pnpm start ended without printing "${text}":\n${lines.join("\n")}`)));
      check();
    });
  return {
    lines,
    ready: async () => (await waitFor("gatehouse ready on ")).replace("gatehouse ready on ", ""),
    says: async (text, times) => void (await waitFor(text, times)),
    kill: (signal) => void child.kill(signal),
    ended: () => ended,
  };
}

/** Returns the recorded processes of a stack. */
export function processesOf({ STACK_DIR }: StackVariables): (ProcessIdentity & { name: string })[] {
  const folder = join(STACK_DIR, "run");
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
}

export function living(processes: readonly (ProcessIdentity & { name: string })[]): string[] {
  return processes.filter(isAlive).map(({ name }) => name);
}
