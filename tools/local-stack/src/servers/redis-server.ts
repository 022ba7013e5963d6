import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnManaged, waitUntilReady } from "../process/managed-process.ts";
import { answers } from "./answers.ts";
import type { RunningServer, ServerOptions } from "./running-server.ts";
import { startOnPort } from "./start-on-port.ts";

interface Program {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts a redis-server on loopback that keeps nothing: all it holds are counters of the last minutes. */
export async function startRedisServer(program: Program, options: ServerOptions): Promise<RunningServer> {
  await mkdir(options.folder, { recursive: true });
  return startOnPort("Redis", options.port, async (port) => {
    const config = join(options.folder, "redis.conf");
    // A file, because everybody on the machine can read a process's arguments.
    await writeFile(config, configuration(port, options), { mode: 0o600 });
    const child = await spawnManaged({
      name: "redis",
      kind: "server",
      command: program.command,
      args: [config],
      environment: { ...process.env, ...program.environment },
      stopSignal: "SIGINT",
      stopWithinMs: 5000,
      records: options.records,
    });
    try {
      // Without the password the server refuses the PING, which shows as well that it serves.
      const isReady = async () =>
        (await answers(port, "PING\r\n", "+PONG")) || (await answers(port, "PING\r\n", "-NOAUTH"));
      await waitUntilReady(child, isReady, { signal: options.signal });
    } catch (error) {
      await child.stop();
      throw error;
    }
    const credentials = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}@`;
    return {
      url: `redis://${credentials}127.0.0.1:${port}`,
      port,
      ended: child.ended,
      stop: async () => void (await child.stop()),
      kill: async () => void (await child.stop("SIGKILL")),
    };
  });
}

function configuration(port: number, { folder, password }: ServerOptions): string {
  const lines = ["bind 127.0.0.1", `port ${port}`, 'save ""', "appendonly no", `dir ${quote(folder)}`];
  if (password !== undefined) lines.push(`requirepass ${quote(password)}`);
  return `${lines.join("\n")}\n`;
}

function quote(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
