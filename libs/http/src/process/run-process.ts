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

/** The part of a service's configuration that runProcess reads. */
export interface ProcessConfig {
  readonly environment: string;
  readonly logLevel: LoggerOptions["level"];
  readonly workers: WorkerSettings;
  /** The connection pool of each worker, for a service with a database. */
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
  /** Logged at the start, so that an operator sees which version runs. */
  readonly version: string;
  /** @throws ConfigError */
  readConfig(): Config;
  /**
   * Builds the service and resolves when it can serve requests. It adds each resource to `releasers` as soon as it acquires it, so that
   * a start that fails later releases it. runProcess listens afterwards. `start` imports its code when it is called: a supervisor of
   * workers never calls it and so does not load that code.
   */
  start(config: Config, releasers: Releasers): Promise<StartedProcess>;
  /** How long after SIGTERM clients may still use their kept-alive connections; longer than the gateway keeps idle ones. */
  readonly graceSeconds?: number;
  /** The process has ended this long after the signal, even when something hangs. */
  readonly stopSeconds?: number;
}

/** Why a process ends: a signal, or the death of its supervisor. */
type EndReason = StopSignal | "orphaned";

type Report = (message: string, error?: unknown) => void;

/** How long after SIGTERM clients may still use their kept-alive connections. */
export const GRACE_SECONDS = 3;
/** A process has ended this long after the signal. */
export const STOP_SECONDS = 25;
// Requests get this share of the time; the rest is for releasing resources.
const REQUESTS_SHARE = 0.8;
// Measured inside the process, so a little earlier than promised.
const STOP_SHARE = 0.98;

/**
 * Runs a service's process from start to end. It ends with exit code 0 after SIGTERM or SIGINT: unready, requests finished,
 * everything released in reverse order. It ends with 1 when the start fails (acquired resources are released), when stopping takes too
 * long, and on an unhandled error. With several workers configured the process is their supervisor (supervisor.ts), and each worker
 * runs the same main file.
 */
export async function runProcess<Config extends ProcessConfig>(options: ProcessOptions<Config>): Promise<void> {
  const { name, version, readConfig, start, stopSeconds = STOP_SECONDS } = options;
  let logger: Logger | undefined;
  const releasers = createReleasers((resource, error) => report("warn", `could not release ${resource}`, error));

  function report(level: "warn" | "fatal", message: string, error?: unknown): void {
    if (logger) logger[level](error === undefined ? {} : { err: error }, message);
    else console.error(`${name}: ${message}${error === undefined ? "" : `: ${describeError(error)}`}`);
  }
  const reportEnd: Report = (message, error) => report("fatal", message, error);
  function dieOf(error: unknown): void {
    reportEnd("unhandled error", error);
    process.exit(1);
  }
  process.on("uncaughtException", dieOf).on("unhandledRejection", dieOf);

  const stopSignal = nextStopSignal();
  try {
    const config = readConfig();
    const worker = config.workers.count > 1 ? await joinSupervisor() : undefined;
    if (worker === "none") return process.exit(await supervise(name, config, stopSignal, stopSeconds));

    const end: Promise<EndReason> = worker ? Promise.race([stopSignal, worker.orphaned]) : stopSignal;
    void end.then(() => exitAfter(stopSeconds * STOP_SHARE, reportEnd));
    // A signal during the start does not wait for the start to end.
    const started = await Promise.race([start(config, releasers), end]);
    if (typeof started !== "string") {
      ({ logger } = started);
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

// Only a process with workers loads node:cluster.
async function joinSupervisor(): Promise<WorkerLink | "none"> {
  const { createWorkerLink } = await import("./worker-link.ts");
  return createWorkerLink() ?? "none";
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
      logger.warn("requests did not finish in time; closing their connections");
      app.server.closeAllConnections();
    },
    stopSeconds * REQUESTS_SHARE * 1000,
  );
  // After Ctrl-C a person waits, and no load balancer sends traffic.
  await drain(app, { graceMs: reason === "SIGINT" ? 0 : graceSeconds * 1000, isWorker });
  clearTimeout(limit);
}

function exitAfter(seconds: number, report: Report): void {
  setTimeout(() => {
    report("the process did not end in time");
    process.exit(1);
  }, seconds * 1000);
}

// Used before the logger exists.
function describeError(error: unknown): string {
  const lines: string[] = [];
  for (let current: LoggedError | undefined = serializeError(error); current; current = current.cause) {
    lines.push(current.stack ?? `${current.type}: ${current.message}`);
  }
  return lines.join("\ncaused by ");
}

// An operator can fix an OperatorError; its message needs no stack.
function printStartFailure(name: string, error: unknown, report: Report): void {
  if (error instanceof OperatorError) console.error(`${name}: ${error.message}`);
  else report("the start failed", error);
}
