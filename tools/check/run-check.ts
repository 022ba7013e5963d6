import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "node_modules", ".bin");

/** The exit code of a check that cannot run on this machine, as in Automake. */
export const SKIPPED = 77;

export interface Check {
  readonly name: string;
  readonly what: string;
  /** A program of node_modules/.bin with its arguments; exit code 0 passes, 77 skips. */
  readonly command: readonly [program: string, ...args: string[]];
}

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  readonly skipped: boolean;
  readonly seconds: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/** Runs one check in the repository's root. Never rejects: a program that cannot be started is a failed check. */
export function runCheck({ name, command: [program, ...args] }: Check): Promise<CheckResult> {
  const started = performance.now();
  const child = spawn(join(BIN, program), args, {
    cwd: ROOT,
    // Most programs are scripts for `node`: the repository's own Node comes first.
    env: { ...process.env, PATH: `${BIN}${delimiter}${process.env["PATH"] ?? ""}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = (code: number | null, more = "") => {
      const output = Buffer.concat(chunks).toString() + more;
      const skipped = code === SKIPPED;
      resolve({ name, passed: code === 0 || skipped, skipped, seconds: (performance.now() - started) / 1_000, output });
    };
    child.once("error", (error) => end(1, error.message));
    child.once("close", (code) => end(code));
  });
}
