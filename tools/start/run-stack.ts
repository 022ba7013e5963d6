import { FolderInUseError, identify, isAlive, type ProcessIdentity, REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { join } from "node:path";
import { helpText, parseStackArguments, UsageError } from "./arguments.ts";
import { readOptionalFile, readSettings } from "./settings.ts";
import { createShutdown, type Shutdown } from "./shutdown.ts";
import { startEverything } from "./start-everything.ts";

export interface RunOptions {
  readonly command: "start" | "dev";
  readonly args: readonly string[];
  readonly watch: boolean;
}

const say = (line: string) => console.log(line);

/** Starts everything and runs until a signal (exit code 0) or a failed start (exit code 1). */
export async function runStack({ command, args, watch }: RunOptions): Promise<void> {
  // The reader of our output may end first.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const shutdown = createShutdown((error) => console.error("stop failed:", error));
  try {
    const { help, fresh, observe } = parseStackArguments(args);
    if (help) return console.log(helpText(command));
    const envFile = readOptionalFile(join(REPOSITORY_ROOT, ".env"));
    const settings = readSettings(process.env, envFile, process.cwd());
    const master = masterProcess();
    endOnSignal(shutdown);
    if (master !== undefined) endWithMaster(master);
    await startEverything({ settings, fresh, observe, watch, master, shutdown, say });
  } catch (error) {
    if (shutdown.signal.aborted) return;
    console.error(describe(error, command));
    await shutdown.run();
    process.exit(1);
  }
}

/** Returns the package manager that started this process. After its kill no terminal can stop us. */
function masterProcess(): ProcessIdentity | undefined {
  return process.env["npm_lifecycle_event"] === undefined ? undefined : identify(process.ppid);
}

function endWithMaster(master: ProcessIdentity): void {
  const timer = setInterval(() => {
    if (isAlive(master)) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 500);
  timer.unref();
}

// One Ctrl-C can arrive twice: from the terminal, and passed on by npx or `timeout`.
const SAME_KEYSTROKE_MS = 500;

function endOnSignal(shutdown: Shutdown): void {
  let askedAt: number | undefined;
  const end = async () => {
    if (askedAt !== undefined) {
      // A second Ctrl-C ends a stop that hangs. The next start cleans up.
      if (performance.now() - askedAt > SAME_KEYSTROKE_MS) process.exit(130);
      return;
    }
    askedAt = performance.now();
    say("stopping");
    await shutdown.run();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end());
}

function describe(error: unknown, command: string): string {
  if (error instanceof FolderInUseError)
    return `${error.folder} is in use by another \`pnpm ${command}\` (process ${error.pid}). Stop that one, or set STACK_DIR and the ports for this one.`;
  if (error instanceof UsageError) return error.message;
  if (process.env["DEBUG"] && error instanceof Error) return String(error.stack);
  return error instanceof Error ? error.message : String(error);
}
