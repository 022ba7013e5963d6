import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { runOps as run } from "../ops/run-ops.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface OpsResult {
  /** The exit code or the signal. */
  readonly code: number | string;
  readonly output: string;
  readonly errors: string;
}

/** A running `pnpm ops`. */
export interface OpsCommand {
  /** Its standard output so far. */
  readonly lines: readonly string[];
  kill(signal: NodeJS.Signals): void;
  ended(): Promise<OpsResult>;
}

/** Empties the variables of the test run's environment and of .env. */
const NOTHING = { NATS_URL: "", STACK_DIR: "/nowhere" };

/** Input typed at a terminal, or piped in without one. */
export type OpsInput = { readonly typed: string } | { readonly piped: string };

/** Runs one command within this process. */
export async function runOps(
  variables: NodeJS.ProcessEnv,
  args: readonly string[],
  given: OpsInput = { piped: "" },
): Promise<OpsResult> {
  const lines: string[] = [];
  const stream = () => Object.assign(new PassThrough(), { isTTY: "typed" in given });
  const [input, errors] = [stream(), stream()];
  input.end("typed" in given ? given.typed : given.piped);
  const code = await run(args, {
    variables: { ...NOTHING, ...variables },
    print: (line) => void lines.push(line),
    input,
    errors,
    interruption: () => new AbortController().signal,
    exitCode: 0,
  });
  errors.end();
  return { code, output: lines.join("\n"), errors: await text(errors) };
}

/** Runs one command as a process. */
export function startOps(variables: NodeJS.ProcessEnv, ...args: string[]): OpsCommand {
  const child = spawn(process.execPath, ["tools/ops/main.ts", ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], ...NOTHING, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const ended = once(child, "close").then(([code, signal]) => ({
    code: (code ?? signal) as number | string,
    output: lines.join("\n"),
    errors: errors.join("\n"),
  }));
  return { lines, kill: (signal) => void child.kill(signal), ended: () => ended };
}
