import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { answers } from "../process/ports.ts";
import { runCommand } from "../process/run-command.ts";
import { isRedisReady, redisUrl } from "./programs.ts";
import type { Part, ServerOptions, ServerPlan } from "./types.ts";

interface Container {
  readonly port: number;
  readonly args?: readonly string[];
  /** By name in the arguments and by value in the environment, which other users cannot read. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly url: ServerPlan["url"];
  readonly isReady: ServerPlan["isReady"];
}

const docker = (...args: string[]) => runCommand("docker", args, { environment: process.env, withinMs: 30_000 });

/**
 * Plans a container that runs in the foreground: the docker client passes signals on and ends with the container, so it
 * is recorded and stopped like a server program. A durable server keeps its data in a volume named after the folder.
 */
export async function planContainer(part: Part, image: string, options: ServerOptions): Promise<ServerPlan> {
  const name = containerName(part, options.folder);
  const { port: inner, args = [], variables = {}, command, url, isReady } = await CONTAINERS[part](name, options);
  const remove = () => docker("rm", "--force", name);
  return {
    async launch(port) {
      // A killed run may have left a container. Two servers on one volume would destroy the data.
      await remove();
      const names = Object.keys(variables).flatMap((variable) => ["--env", variable]);
      const publish = ["--publish", `127.0.0.1:${port}:${inner}`];
      return {
        command: "docker",
        args: ["run", "--rm", "--name", name, ...publish, ...args, ...names, image, ...command],
        environment: { ...process.env, ...variables },
      };
    },
    stopSignal: "SIGINT",
    url,
    isReady,
    kill: () => docker("kill", name),
    cleanUp: remove,
  };
}

/** Removes the volume with the data of a durable container, if there is one. */
export async function removeDockerVolume(part: Part, folder: string): Promise<void> {
  const name = containerName(part, folder);
  await docker("rm", "--force", name);
  await docker("volume", "rm", "--force", name);
}

function containerName(part: Part, folder: string): string {
  return `gatehouse-${part}-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
}

const CONTAINERS: Record<Part, (name: string, options: ServerOptions) => Promise<Container>> = {
  async postgres(name, { folder, durable }) {
    const password = await keptPassword(folder);
    const settings = ["max_connections=300", ...(durable ? [] : ["fsync=off", "synchronous_commit=off"])];
    return {
      port: 5432,
      args: durable ? ["--volume", `${name}:/var/lib/postgresql`] : [],
      variables: {
        POSTGRES_USER: "gatehouse_superuser",
        POSTGRES_PASSWORD: password,
        POSTGRES_DB: "postgres",
        POSTGRES_INITDB_ARGS: "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C",
      },
      command: ["postgres", ...settings.flatMap((setting) => ["-c", setting])],
      url: (port) => `postgres://gatehouse_superuser:${password}@127.0.0.1:${port}/postgres`,
      // Over TCP: while the image prepares the cluster, its server listens on a socket only.
      isReady: async () =>
        (await docker("exec", name, "pg_isready", "-h", "127.0.0.1", "-U", "gatehouse_superuser")).ok,
    };
  },

  async nats(name, { folder, durable, nats }) {
    // Without a volume the data lie in the folder, owned by this user, so that a stopped server finds them again.
    const user = ["--user", `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`];
    const data = durable ? ["--volume", `${name}:/data`] : ["--volume", `${folder}:/data`, ...user];
    // Mounted at the same path, so that the paths in the file stay valid.
    const files = nats && dirname(nats.configuration);
    return {
      port: 4222,
      args: [...data, ...(files ? ["--volume", `${files}:${files}:ro`] : [])],
      variables: { ...nats?.environment, NATS_STORE_DIR: "/data" },
      command: nats ? ["--config", nats.configuration] : ["--jetstream", "--store_dir", "/data"],
      url: (port) => `nats://127.0.0.1:${port}`,
      isReady: (port) => answers(port, "", "INFO "),
    };
  },

  redis: async (_name, { password }) => ({
    port: 6379,
    command: [
      ...["redis-server", "--save", ""],
      ...(password === undefined ? ["--protected-mode", "no"] : ["--requirepass", password]),
    ],
    url: (port) => redisUrl(port, password),
    isReady: isRedisReady,
  }),
};

async function keptPassword(folder: string): Promise<string> {
  const file = join(folder, "superuser-password");
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return kept.trim();
  const password = randomBytes(24).toString("base64url");
  await writeFile(file, password, { mode: 0o600 });
  return password;
}
