import type { WorkerSettings } from "@gatehouse/config";
import { OperatorError } from "@gatehouse/errors";
import {
  createLogger,
  type LoggedError,
  type Logger,
  type LoggerOptions,
  serializeError,
} from "@gatehouse/observability";
import type { App } from "../app.ts";
import { drain } from "./drain.ts";
import { listen } from "./listen.ts";
import { createReleasers, type Releasers } from "./releasers.ts";
import { nextStopSignal, type StopSignal } from "./stop-signal.ts";
import type { WorkerLink } from "./worker-link.ts";

/** What runProcess itself must know of a service's configuration. */
export interface ProcessConfig {
  readonly environment: string;
  readonly logLevel: LoggerOptions["level"];
  readonly workers: WorkerSettings;
  /** The pool of connections that each worker has, where the service has a database. */
  readonly database?: { readonly poolSize: number; readonly maxOverflow: number };
}

export interface StartedProcess {
  readonly app: App;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
}

export interface ProcessOptions<Config extends ProcessConfig> {
  readonly name: string;
  /** Told in the log at the start, so that an operator sees which one runs. */
  readonly version: string;
  /** @throws ConfigError */
  readConfig(): Config;
  /**
   * Builds everything, and resolves when the process may be asked for something. What it acquires it adds to
   * `releasers` at once, so that a start that fails later gives it back. Listening comes afterwards, by runProcess.
   * It imports what it builds when it is called: a supervisor of workers never calls it, and shall not carry their code.
   */
  start(config: Config, releasers: Releasers): Promise<StartedProcess>;
  /** How long after SIGTERM clients may still use their kept-alive connections; longer than the gateway keeps idle ones. */
  readonly graceSeconds?: number;
  /** How long after the signal the process ends whatever hangs. */
  readonly stopSeconds?: number;
}

/** Why a process ends: a signal, a successor that has taken over, or a supervisor that is gone. */
type EndReason = StopSignal | "retired" | "orphaned";

type Report = (message: string, error?: unknown) => void;

const GRACE_SECONDS = 3;
const STOP_SECONDS = 25;
// The requests get most of that time; the rest is for what must be released after them.
const REQUESTS_SHARE = 0.8;
// Measured from inside, so a little earlier than promised.
const STOP_SHARE = 0.98;

/**
 * A service's process from start to end. Ends with exit code 0 after SIGTERM or SIGINT: unready, requests finished,
 * everything released in reverse order. Ends with 1 when the start fails (what was acquired is released), when the
 * end takes too long, and on an error that nobody handled. With several workers configured the process is their supervisor
 * (supervisor.ts), and each of them runs the same main file and comes by here again.
 */
export async function runProcess<Config extends ProcessConfig>(options: ProcessOptions<Config>): Promise<void> {
  const { name, version, readConfig, start, stopSeconds = STOP_SECONDS } = options;
  let logger: Logger | undefined;
  const releasers = createReleasers((resource, error) => report("warn", `${resource} could not be released`, error));

  function report(level: "warn" | "fatal", message: string, error?: unknown): void {
    if (logger) logger[level](error === undefined ? {} : { err: error }, message);
    else console.error(`${name}: ${message}${error === undefined ? "" : `: ${describeError(error)}`}`);
  }
  const reportEnd: Report = (message, error) => report("fatal", message, error);
  function dieOf(error: unknown): void {
    reportEnd("an error was not handled", error);
    process.exit(1);
  }
  process.on("uncaughtException", dieOf).on("unhandledRejection", dieOf);

  const stopSignal = nextStopSignal();
  try {
    const config = readConfig();
    const worker = config.workers.count > 1 ? await joinSupervisor(config.workers) : undefined;
    if (worker === "none") return process.exit(await supervise(name, config, stopSignal, stopSeconds));

    const end: Promise<EndReason> = worker ? Promise.race([stopSignal, worker.end]) : stopSignal;
    void end.then(() => exitAfter(stopSeconds * STOP_SHARE, reportEnd));
    // A signal that comes before the start is over does not wait for it.
    const started = await Promise.race([start(config, releasers), end]);
    if (typeof started !== "string") {
      ({ logger } = started);
      worker?.countRequests(started.app.server);
      await listen(started.app, `${name} ${version}`, started.host, started.port);
      worker?.reportReady();
      await serveUntil(end, started, { ...options, isWorker: worker !== undefined });
      await worker?.leave();
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

// Loaded where there are workers only.
async function joinSupervisor(settings: WorkerSettings): Promise<WorkerLink | "none"> {
  const { createWorkerLink } = await import("./worker-link.ts");
  return createWorkerLink(settings) ?? "none";
}

async function supervise(
  name: string,
  { environment, logLevel, workers, database }: ProcessConfig,
  stopSignal: Promise<StopSignal>,
  stopSeconds: number,
): Promise<number> {
  const logger = createLogger({ service: name, level: logLevel, pretty: environment === "development" });
  const connections = database && { databaseConnections: workers.count * (database.poolSize + database.maxOverflow) };
  logger.info({ workers: workers.count, ...connections }, `${name} starts its workers`);
  const { superviseWorkers } = await import("./supervisor.ts");
  const code = await superviseWorkers({ count: workers.count, stopSignal, stopSeconds, logger });
  logger.info(`${name} has stopped with its workers`);
  return code;
}

async function serveUntil(
  end: Promise<EndReason>,
  { app, logger }: StartedProcess,
  {
    name,
    graceSeconds = GRACE_SECONDS,
    stopSeconds = STOP_SECONDS,
    isWorker,
  }: Pick<ProcessOptions<ProcessConfig>, "name" | "graceSeconds" | "stopSeconds"> & { readonly isWorker: boolean },
): Promise<void> {
  const reason = await end;
  logger.info({ reason }, `${name} is stopping`);
  const limit = setTimeout(
    () => {
      logger.warn("requests are still being served; their connections are cut");
      app.server.closeAllConnections();
    },
    stopSeconds * REQUESTS_SHARE * 1000,
  );
  // Nobody's traffic depends on a process that is stopped by Ctrl-C, and the person is waiting.
  const graceMilliseconds = reason === "SIGINT" ? 0 : graceSeconds * 1000;
  await drain(app, { graceMilliseconds, hasSuccessor: reason === "retired", isWorker });
  clearTimeout(limit);
}

function exitAfter(seconds: number, report: Report): void {
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
function printStartFailure(name: string, error: unknown, report: Report): void {
  if (error instanceof OperatorError) console.error(`${name}: ${error.message}`);
  else report("the start failed", error);
}
