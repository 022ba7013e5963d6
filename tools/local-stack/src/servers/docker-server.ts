import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "../process/run-command.ts";
import { PART_NAMES } from "../providers/provider.ts";
import { answers } from "./answers.ts";
import { NEVER, type Part, type RunningServer, type ServerOptions } from "./running-server.ts";
import { startOnPort } from "./start-on-port.ts";

interface ContainerPlan {
  readonly port: number;
  readonly volumeAt?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly url: (port: number) => string;
  readonly isReady: (port: number, container: string) => Promise<boolean>;
}

/** Starts a part in a container of the Docker engine; durable data are kept in a volume named after the folder. */
export async function startDockerServer(part: Part, image: string, options: ServerOptions): Promise<RunningServer> {
  const name = containerName(part, options.folder);
  const plan = await PLANS[part](options);
  // One that a killed run left behind; two servers on one volume would ruin it.
  await runCommand("docker", ["rm", "--force", name], { withinMs: 30_000 });
  return startOnPort(PART_NAMES[part], options.port, async (port) => {
    const volume = plan.volumeAt === undefined || !options.durable ? [] : ["--volume", `${name}:${plan.volumeAt}`];
    const variables = Object.entries(plan.environment ?? {}).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
    const publish = ["--publish", `127.0.0.1:${port}:${plan.port}`];
    const args = [
      "run",
      "--detach",
      "--rm",
      "--name",
      name,
      ...publish,
      ...volume,
      ...variables,
      image,
      ...plan.command,
    ];
    const run = await runCommand("docker", args, { withinMs: 60_000, signal: options.signal });
    if (!run.ok) throw new Error(`docker run ${image} failed: ${run.reason}`);
    const stop = async () => void (await runCommand("docker", ["stop", "--time", "10", name], { withinMs: 30_000 }));
    try {
      await waitFor(() => plan.isReady(port, name), image, options.signal);
    } catch (error) {
      await stop();
      throw error;
    }
    const kill = async () => void (await runCommand("docker", ["kill", name], { withinMs: 30_000 }));
    return { url: plan.url(port), port, ended: NEVER, stop, kill };
  });
}

/** Removes the volume in which a durable container of this folder kept its data, if there is one. */
export async function removeDockerVolume(part: Part, folder: string): Promise<void> {
  const name = containerName(part, folder);
  await runCommand("docker", ["rm", "--force", name], { withinMs: 30_000 });
  await runCommand("docker", ["volume", "rm", "--force", name], { withinMs: 30_000 });
}

function containerName(part: Part, folder: string): string {
  return `gatehouse-${part}-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
}

const PLANS: Record<Part, (options: ServerOptions) => Promise<ContainerPlan>> = {
  async postgres(options) {
    const password = await keptPassword(options.folder);
    return {
      port: 5432,
      volumeAt: "/var/lib/postgresql",
      environment: {
        POSTGRES_USER: "gatehouse_superuser",
        POSTGRES_PASSWORD: password,
        POSTGRES_DB: "postgres",
        POSTGRES_INITDB_ARGS: "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C",
      },
      command: ["postgres", "-c", "max_connections=300"],
      url: (port) => `postgres://gatehouse_superuser:${password}@127.0.0.1:${port}/postgres`,
      // Over TCP, since the image first serves on a socket only, while it prepares the cluster.
      isReady: async (_port, container) =>
        (await runCommand("docker", ["exec", container, "pg_isready", "-h", "127.0.0.1", "-U", "gatehouse_superuser"]))
          .ok,
    };
  },
  nats: async () => ({
    port: 4222,
    volumeAt: "/data",
    command: ["--jetstream", "--store_dir", "/data"],
    url: (port) => `nats://127.0.0.1:${port}`,
    isReady: (port) => answers(port, "", "INFO "),
  }),
  redis: async ({ password }) => ({
    port: 6379,
    command: [
      "redis-server",
      "--save",
      "",
      ...(password === undefined ? ["--protected-mode", "no"] : ["--requirepass", password]),
    ],
    url: (port) => `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    isReady: async (port) => (await answers(port, "PING\r\n", "+PONG")) || answers(port, "PING\r\n", "-NOAUTH"),
  }),
};

async function keptPassword(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, "superuser-password");
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return kept.trim();
  const password = randomBytes(24).toString("base64url");
  await writeFile(file, password, { mode: 0o600 });
  return password;
}

async function waitFor(isReady: () => Promise<boolean>, image: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isReady())) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`The container of ${image} was not ready within 60 s`);
    await delay(100);
  }
}
