import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "node_modules", ".bin");

/** A tool of node_modules/.bin with its arguments, and what it finds out. */
export interface Check {
  readonly name: string;
  readonly what: string;
  readonly command: readonly [tool: string, ...args: string[]];
}

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** All that the tool has said, on both streams. */
  readonly output: string;
}

/** Runs one check in the folder of the project. Never rejects: a tool that cannot be started is a check that failed. */
export function runCheck({ name, command: [tool, ...args] }: Check): Promise<CheckResult> {
  const started = performance.now();
  const child = spawn(join(BIN, tool), args, {
    cwd: ROOT,
    // The tools are scripts for `node`: the project's own comes first.
    env: { ...process.env, PATH: `${BIN}${delimiter}${process.env["PATH"] ?? ""}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = (passed: boolean, more = "") => {
      const output = Buffer.concat(chunks).toString() + more;
      resolve({ name, passed, seconds: (performance.now() - started) / 1000, output });
    };
    child.once("error", (error) => end(false, error.message));
    child.once("close", (code) => end(code === 0));
  });
}
