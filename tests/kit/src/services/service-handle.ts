import { type LaunchedService, launchService, type PidRecords } from "@gatehouse/local-stack";
import { rememberPasswordsIn } from "../secrets/known-secrets.ts";

/** One service process; its URL and port stay the same however often it is stopped and started. */
export interface ServiceHandle {
  readonly name: string;
  readonly url: string;
  /** The variables that it has, or will have when it is started. */
  environment(): NodeJS.ProcessEnv;
  /** The number of the present process, undefined while it is stopped. */
  pid(): number | undefined;
  /** Every line that it has written so far, in this and earlier lives. */
  logs(): readonly string[];
  /** SIGTERM unless told; resolves with how it ended, such as "exit code 0". */
  stop(signal?: NodeJS.Signals): Promise<string>;
  /**
   * Starts it again and waits until it is ready; variables given here are over those it had.
   * @param tree the root of the checkout whose build it is from now on; the former one unless given
   */
  start(environment?: NodeJS.ProcessEnv, tree?: string): Promise<void>;
  restart(environment?: NodeJS.ProcessEnv): Promise<void>;
}

/** A service that is not started yet. */
export function createServiceHandle(options: {
  readonly service: string;
  /** Where it is, from the root; `services/<service>` unless given. */
  readonly folder?: string;
  /** How logs and errors call it, where there are several of one service. */
  readonly name?: string;
  /** The root of another checkout of this repository, whose build it is to be. */
  readonly tree?: string | undefined;
  readonly port: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly records: PidRecords;
}): ServiceHandle {
  const { environment: given, port, ...program } = options;
  const { name = options.service } = program;
  const lines: string[] = [];
  let environment = given;
  let { tree } = options;
  let running: LaunchedService | undefined;

  const url = `http://127.0.0.1:${port}`;
  const start = async (more: NodeJS.ProcessEnv = {}, from = tree) => {
    if (running !== undefined && !running.hasEnded()) throw new Error(`${name} is running already`);
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
