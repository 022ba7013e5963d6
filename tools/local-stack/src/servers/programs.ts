import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { answers } from "../process/ports.ts";
import { planPostgres } from "./postgres.ts";
import type { Part, Program, ServerOptions, ServerPlan } from "./types.ts";

/** How each part runs as a program of this machine. */
export const PROGRAMS: Record<Part, (program: Program, options: ServerOptions) => Promise<ServerPlan>> = {
  postgres: planPostgres,

  async nats({ command, environment }, { folder, nats }) {
    const data = join(folder, "data");
    await mkdir(data, { recursive: true });
    const setup = nats === undefined ? ["--jetstream", "--store_dir", data] : ["--config", nats.configuration];
    return {
      launch: (port) => ({
        command,
        args: ["--addr", "127.0.0.1", "--port", String(port), ...setup],
        environment: { ...process.env, ...environment, ...nats?.environment, NATS_STORE_DIR: data },
      }),
      stopSignal: "SIGINT",
      url: (port) => `nats://127.0.0.1:${port}`,
      isReady: (port) => answers(port, "", "INFO "),
    };
  },

  /** Stores nothing: Redis holds counters of the last minutes only. */
  async redis({ command, environment }, { folder, password }) {
    return {
      async launch(port) {
        const lines = ["bind 127.0.0.1", `port ${port}`, 'save ""', "appendonly no", `dir ${quote(folder)}`];
        if (password !== undefined) lines.push(`requirepass ${quote(password)}`);
        // A file, because every user of the machine can read a process's arguments.
        const file = join(folder, "redis.conf");
        await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
        return { command, args: [file], environment: { ...process.env, ...environment } };
      },
      stopSignal: "SIGINT",
      url: (port) => redisUrl(port, password),
      isReady: isRedisReady,
    };
  },
};

export function redisUrl(port: number, password: string | undefined): string {
  return `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`;
}

/** A server with a password rejects the PING, which shows that it is ready as well. */
export async function isRedisReady(port: number): Promise<boolean> {
  return (await answers(port, "PING\r\n", "+PONG")) || answers(port, "PING\r\n", "-NOAUTH");
}

function quote(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
