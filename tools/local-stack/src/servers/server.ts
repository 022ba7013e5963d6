import { mkdir, rm } from "node:fs/promises";
import { spawnManaged, waitUntilReady } from "../process/managed-process.ts";
import { startOnPort } from "../process/ports.ts";
import { PART_NAMES } from "../providers/providers.ts";
import { planContainer } from "./docker.ts";
import { PROGRAMS } from "./programs.ts";
import type { Part, RunningServer, ServerOptions, Source } from "./types.ts";

const STOP_WITHIN_MS = 10_000;

/** Starts a part from its source. A server behind a URL is neither started nor stopped. */
export async function startServer(part: Part, source: Source, options: ServerOptions): Promise<RunningServer> {
  if (source.kind === "url") {
    const leave = () => Promise.resolve();
    const ended = new Promise<string>(() => undefined);
    return { url: source.url, port: Number(new URL(source.url).port), ended, stop: leave, kill: leave };
  }
  await mkdir(options.folder, { recursive: true });
  const plan =
    source.kind === "docker" ? await planContainer(part, source.image, options) : await PROGRAMS[part](source, options);
  return startOnPort(PART_NAMES[part], options.port, async (port) => {
    const child = await spawnManaged({
      ...(await plan.launch(port)),
      name: part,
      kind: "server",
      stopSignal: plan.stopSignal,
      stopWithinMs: STOP_WITHIN_MS,
      records: options.records,
    });
    const stop = async () => {
      await child.stop();
      await plan.cleanUp?.();
    };
    try {
      await waitUntilReady(child, () => plan.isReady(port), { signal: options.signal });
    } catch (error) {
      await stop();
      throw error;
    }
    const kill = async () => {
      await plan.kill?.();
      await child.stop("SIGKILL");
    };
    return { url: plan.url(port), port, ended: child.ended, stop, kill };
  });
}

/** A server that tests stop and start. Its URL stays the same. */
export interface RestartableServer {
  readonly url: string;
  readonly port: number;
  /** With its data. */
  readonly folder: string;
  /** Stops it and keeps its data. Does nothing when it is stopped. */
  stop(): Promise<void>;
  /** Ends it like a crash. */
  kill(): Promise<void>;
  /** Starts it after `stop`; with `wipe` without its data. */
  start(options?: { wipe?: boolean }): Promise<void>;
  restart(options?: { wipe?: boolean }): Promise<void>;
}

export async function startRestartableServer(
  part: Part,
  source: Source,
  options: ServerOptions,
): Promise<RestartableServer> {
  let running: RunningServer | undefined = await startServer(part, source, options);
  const { url, port } = running;
  const take = () => {
    const server = running;
    running = undefined;
    return server;
  };
  const stop = async () => take()?.stop();
  const start = async ({ wipe = false }: { wipe?: boolean } = {}) => {
    if (running !== undefined) throw new Error(`The ${part} server is already running.`);
    if (wipe) await rm(options.folder, { recursive: true, force: true });
    running = await startServer(part, source, { ...options, port });
  };
  return {
    url,
    port,
    folder: options.folder,
    stop,
    start,
    kill: async () => take()?.kill(),
    async restart(how) {
      await stop();
      await start(how);
    },
  };
}
