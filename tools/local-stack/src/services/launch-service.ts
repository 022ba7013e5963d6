import { join } from "node:path";
import { type ManagedProcess, spawnManaged, waitUntilReady } from "../process/managed-process.ts";
import type { PidRecords } from "../process/pid-records.ts";
import { REPOSITORY_ROOT } from "../repository.ts";
import { answersReady } from "./answers-ready.ts";

export interface LaunchOptions {
  readonly service: string;
  /** Where it is, from the root; `services/<service>` unless given. */
  readonly folder?: string;
  /** The root of another checkout of this repository, whose build it is to be. */
  readonly tree?: string | undefined;
  /** How logs and errors call it, where there are several of one service. */
  readonly name?: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where it will listen. */
  readonly url: string;
  readonly records?: PidRecords | undefined;
  readonly onLine?: (line: string) => void;
}

export interface LaunchedService extends ManagedProcess {
  /** @throws ProcessEndedError when it ends before it is ready */
  waitUntilReady(signal?: AbortSignal): Promise<void>;
}

/** A service may take 25 s to end; a little more, so that its own limit is the one that is felt. */
const STOP_WITHIN_MS = 27_000;

/** Starts one service as the process that it is in production: its main file, with nothing but its environment. */
export async function launchService(options: LaunchOptions): Promise<LaunchedService> {
  const {
    service,
    folder = `services/${service}`,
    tree = REPOSITORY_ROOT,
    name = service,
    environment,
    url,
    records,
    onLine,
  } = options;
  const process_ = await spawnManaged({
    name,
    kind: "service",
    command: process.execPath,
    args: ["src/main.ts"],
    folder: join(tree, folder),
    // Compiled code is kept, which makes every start but the first one quicker.
    environment: { NODE_COMPILE_CACHE: join(REPOSITORY_ROOT, ".cache", "compile"), ...environment },
    stopSignal: "SIGINT",
    stopWithinMs: STOP_WITHIN_MS,
    records,
    ...(onLine === undefined ? {} : { onLine }),
  });
  return {
    ...process_,
    waitUntilReady: (signal) => waitUntilReady(process_, () => answersReady(url), { signal }),
  };
}
