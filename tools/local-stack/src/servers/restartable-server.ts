import { rm } from "node:fs/promises";
import type { Part, RunningServer, ServerOptions, Source } from "./running-server.ts";
import { startServer } from "./start-server.ts";

/** A server that tests take away and bring back. Its URL stays the same however often it is stopped and started. */
export interface RestartableServer {
  readonly url: string;
  readonly port: number;
  /** Where its data are. */
  readonly folder: string;
  /** Stops it; data are kept until `start`. Harmless when it is stopped. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again after `stop`; with `wipe` it has forgotten everything. */
  start(options?: { wipe?: boolean }): Promise<void>;
  /** `stop` and `start`. */
  restart(options?: { wipe?: boolean }): Promise<void>;
}

/** Starts a server that can be stopped and started again. */
export async function startRestartableServer(
  part: Part,
  source: Source,
  options: ServerOptions,
): Promise<RestartableServer> {
  let running: RunningServer | undefined = await startServer(part, source, options);
  const { url, port } = running;
  const stop = async () => {
    const server = running;
    running = undefined;
    await server?.stop();
  };
  const start = async ({ wipe = false }: { wipe?: boolean } = {}) => {
    if (running !== undefined) throw new Error(`The ${part} server is running already`);
    if (wipe) await rm(options.folder, { recursive: true, force: true });
    running = await startServer(part, source, { ...options, port });
  };
  return {
    url,
    port,
    folder: options.folder,
    stop,
    start,
    async kill() {
      const server = running;
      running = undefined;
      await server?.kill();
    },
    async restart(how) {
      await stop();
      await start(how);
    },
  };
}
