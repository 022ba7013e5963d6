import { type LaunchedService, type LaunchOptions, launchService } from "@gatehouse/local-stack";
import { rememberPasswordsIn } from "../secrets.ts";

/** One service process. Its URL stays the same when it is stopped and started. */
export interface ServiceHandle {
  readonly name: string;
  readonly url: string;
  /** Returns the variables of the current or next start. */
  environment(): NodeJS.ProcessEnv;
  /** Returns undefined while it is stopped. */
  pid(): number | undefined;
  /** Returns the output of all its starts. */
  logs(): readonly string[];
  /** Stops it with SIGTERM by default. Returns how it ended, such as "exit code 0". */
  stop(signal?: NodeJS.Signals): Promise<string>;
  /**
   * Starts it and waits until it is ready. The variables add to those of the last start.
   * @param tree the root of the checkout to run from now on
   */
  start(environment?: NodeJS.ProcessEnv, tree?: string): Promise<void>;
  restart(environment?: NodeJS.ProcessEnv): Promise<void>;
}

/** Creates the handle of a service without starting it. */
export function createServiceHandle(
  options: Pick<LaunchOptions, "service" | "folder" | "name" | "tree" | "environment" | "records"> & { port: number },
): ServiceHandle {
  const { environment: given, port, ...program } = options;
  const { name = options.service } = program;
  const lines: string[] = [];
  let environment = given;
  let { tree } = options;
  let running: LaunchedService | undefined;

  const url = `http://127.0.0.1:${port}`;
  const start = async (more: NodeJS.ProcessEnv = {}, from = tree) => {
    if (running !== undefined && !running.hasEnded()) throw new Error(`${name} is already running`);
    environment = { ...environment, ...more };
    tree = from;
    rememberPasswordsIn(environment);
    running = await launchService({ ...program, tree, environment, url, onLine: (line) => lines.push(line) });
    await running.waitUntilReady();
  };
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    const process_ = running;
    running = undefined;
    return process_ === undefined ? "not running" : process_.stop(signal);
  };
  return {
    name,
    url,
    environment: () => environment,
    pid: () => (running === undefined || running.hasEnded() ? undefined : running.pid),
    logs: () => lines,
    start,
    stop,
    async restart(more) {
      await stop();
      await start(more);
    },
  };
}
