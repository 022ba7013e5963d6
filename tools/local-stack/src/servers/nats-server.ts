import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { spawnManaged, waitUntilReady } from "../process/managed-process.ts";
import { answers } from "./answers.ts";
import type { RunningServer, ServerOptions } from "./running-server.ts";
import { startOnPort } from "./start-on-port.ts";

interface Program {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts a nats-server with JetStream on loopback; its streams are kept in the folder. */
export async function startNatsServer(program: Program, options: ServerOptions): Promise<RunningServer> {
  const data = join(options.folder, "data");
  await mkdir(data, { recursive: true });
  const { nats } = options;
  const setup = nats === undefined ? ["--jetstream", "--store_dir", data] : ["--config", nats.configuration];
  return startOnPort("NATS", options.port, async (port) => {
    const child = await spawnManaged({
      name: "nats",
      kind: "server",
      command: program.command,
      args: ["--addr", "127.0.0.1", "--port", String(port), ...setup],
      environment: { ...process.env, ...program.environment, ...nats?.environment, NATS_STORE_DIR: data },
      stopSignal: "SIGINT",
      stopWithinMs: 5000,
      records: options.records,
    });
    try {
      await waitUntilReady(child, () => answers(port, "", "INFO "), { signal: options.signal });
    } catch (error) {
      await child.stop();
      throw error;
    }
    return {
      url: `nats://127.0.0.1:${port}`,
      port,
      ended: child.ended,
      stop: async () => void (await child.stop()),
      kill: async () => void (await child.stop("SIGKILL")),
    };
  });
}
