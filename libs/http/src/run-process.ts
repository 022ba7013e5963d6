import { ConfigError } from "@gatehouse/config";
import { type LoggedError, type Logger, serializeError } from "@gatehouse/observability";
import type { App } from "./app.ts";
import { drain } from "./drain.ts";
import { listen, ListenError } from "./listen.ts";
import { createReleasers, type Releasers } from "./releasers.ts";
import { nextStopSignal, type StopSignal } from "./stop-signal.ts";

export interface StartedProcess {
  readonly app: App;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  /** For what else must know that the end has begun; the app is told anyway. */
  setDraining?(): void;
}

export interface ProcessOptions {
  readonly name: string;
  /**
   * Builds everything, and resolves when the process may be asked for something. What it acquires it adds to
   * `releasers` at once, so that a start that fails later gives it back. Listening comes afterwards, by runProcess.
   */
  start(releasers: Releasers): Promise<StartedProcess>;
  /** How long after SIGTERM clients may still use their kept-alive connections; longer than the gateway keeps idle ones. */
  readonly graceSeconds?: number;
  /** How long after the signal the process ends whatever hangs. */
  readonly stopSeconds?: number;
}

const GRACE_SECONDS = 3;
const STOP_SECONDS = 25;
// The requests get most of that time; the rest is for what must be released after them.
const REQUESTS_SHARE = 0.8;
// Measured from inside, so a little earlier than promised.
const STOP_SHARE = 0.98;

/**
 * A service's process from start to end. Ends with exit code 0 after SIGTERM or SIGINT: unready, requests finished,
 * everything released in reverse order. Ends with 1 when the start fails (what was acquired is released), when the
 * end takes too long, and on an error that nobody handled.
 */
export async function runProcess(options: ProcessOptions): Promise<void> {
  const { name, start, stopSeconds = STOP_SECONDS } = options;
  let logger: Logger | undefined;
  const releasers = createReleasers((resource, error) => report("warn", `${resource} could not be released`, error));

  function report(level: "warn" | "fatal", message: string, error?: unknown): void {
    if (logger) logger[level](error === undefined ? {} : { err: error }, message);
    else console.error(`${name}: ${message}${error === undefined ? "" : `: ${describeError(error)}`}`);
  }
  const reportEnd = (message: string, error?: unknown) => report("fatal", message, error);
  function dieOf(error: unknown): void {
    reportEnd("an error was not handled", error);
    process.exit(1);
  }
  process.on("uncaughtException", dieOf).on("unhandledRejection", dieOf);

  const stopSignal = nextStopSignal();
  void stopSignal.then(() => exitAfter(stopSeconds * STOP_SHARE, reportEnd));
  try {
    // A signal that comes before the start is over does not wait for it.
    const started = await Promise.race([start(releasers), stopSignal]);
    if (typeof started !== "string") {
      ({ logger } = started);
      await listen(started.app, name, started.host, started.port);
      await serveUntil(stopSignal, started, options);
    }
    await releasers.releaseAll();
    logger?.info(`${name} has stopped`);
    process.exit(0);
  } catch (error) {
    exitAfter(stopSeconds * STOP_SHARE, reportEnd);
    printStartFailure(name, error, reportEnd);
    await releasers.releaseAll();
    process.exit(1);
  }
}

async function serveUntil(
  stopSignal: Promise<StopSignal>,
  started: StartedProcess,
  options: ProcessOptions,
): Promise<void> {
  const { graceSeconds = GRACE_SECONDS, stopSeconds = STOP_SECONDS } = options;
  const { app, logger } = started;
  const signal = await stopSignal;
  logger.info({ signal }, `${options.name} is stopping`);
  started.setDraining?.();
  const limit = setTimeout(
    () => {
      logger.warn("requests are still being served; their connections are cut");
      app.server.closeAllConnections();
    },
    stopSeconds * REQUESTS_SHARE * 1000,
  );
  // Nobody's traffic depends on a process that is stopped by Ctrl-C, and the person is waiting.
  await drain(app, signal === "SIGINT" ? 0 : graceSeconds * 1000);
  clearTimeout(limit);
}

function exitAfter(seconds: number, report: (message: string) => void): void {
  setTimeout(() => {
    report("the process did not end in time");
    process.exit(1);
  }, seconds * 1000);
}

// Before there is a logger.
function describeError(error: unknown): string {
  const lines: string[] = [];
  for (let current: LoggedError | undefined = serializeError(error); current; current = current.cause) {
    lines.push(current.stack ?? `${current.type}: ${current.message}`);
  }
  return lines.join("\ncaused by ");
}

// What an operator can mend is said in its own words, without a stack.
function printStartFailure(name: string, error: unknown, report: (message: string, error: unknown) => void): void {
  if (error instanceof ConfigError || error instanceof ListenError) console.error(`${name}: ${error.message}`);
  else report("the start failed", error);
}
