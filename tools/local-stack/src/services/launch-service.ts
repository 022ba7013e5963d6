import { join } from "node:path";
import { type ManagedProcess, spawnManaged, waitUntilReady } from "../process/managed-process.ts";
import type { PidRecords } from "../process/pid-records.ts";
import { REPOSITORY_ROOT } from "../repository.ts";
import { answersReady } from "./answers-ready.ts";

export interface LaunchOptions {
  readonly service: string;
  /** From the root. Default: `services/<service>`. */
  readonly folder?: string;
  /** The root of another checkout of this repository. Default: this one. */
  readonly tree?: string | undefined;
  /** Its name in logs and errors. Default: the service. */
  readonly name?: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly url: string;
  readonly records?: PidRecords | undefined;
  readonly onLine?: (line: string) => void;
}

export interface LaunchedService extends ManagedProcess {
  /** @throws ProcessEndedError when it ends before it is ready */
  waitUntilReady(signal?: AbortSignal): Promise<void>;
}

/** Longer than the 25 s that a service gives itself. */
const STOP_WITHIN_MS = 27_000;
/** MiB of V8's young generation. With Node's default of 16, the garbage of a start leaves each idle service 12 MiB larger. */
const SEMI_SPACE_MIB = 8;

/** Starts a service by its main file, as in production but for the size of the semi-space, with only this environment. */
export async function launchService(options: LaunchOptions): Promise<LaunchedService> {
  const { service, name = service, folder = `services/${service}`, tree = REPOSITORY_ROOT } = options;
  const { environment, url, records, onLine } = options;
  const process_ = await spawnManaged({
    name,
    kind: "service",
    command: process.execPath,
    args: [`--max-semi-space-size=${SEMI_SPACE_MIB}`, "src/main.ts"],
    folder: join(tree, folder),
    // The compile cache makes later starts faster.
    environment: { NODE_COMPILE_CACHE: join(REPOSITORY_ROOT, ".cache", "compile"), ...environment },
    stopSignal: "SIGINT",
    stopWithinMs: STOP_WITHIN_MS,
    records,
    onLine,
  });
  return {
    ...process_,
    waitUntilReady: (signal) => waitUntilReady(process_, () => answersReady(url), { signal }),
  };
}
