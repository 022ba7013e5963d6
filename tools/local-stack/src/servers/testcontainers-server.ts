import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Wait, WaitStrategy } from "testcontainers";
import { PART_NAMES } from "../providers/provider.ts";
import { NEVER, type Part, type RunningServer, type ServerOptions } from "./running-server.ts";
import { startOnPort } from "./start-on-port.ts";

interface ContainerPlan {
  readonly port: number;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ready: (wait: typeof Wait) => WaitStrategy;
  /** Where the data lie in the container, when a server that is stopped and started again must find them. */
  readonly dataAt?: string;
  readonly url: (address: string) => string;
}

/** Only ever on loopback, in a container that is gone with the run. */
const PASSWORD = "throw-away";

const PLANS: Record<Part, ContainerPlan> = {
  postgres: {
    port: 5432,
    command: ["postgres", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=300"],
    environment: {
      POSTGRES_PASSWORD: PASSWORD,
      POSTGRES_INITDB_ARGS: "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C",
    },
    // Over TCP, since the image first serves on a socket only, while it prepares the cluster.
    ready: (wait) => wait.forSuccessfulCommand("pg_isready -h 127.0.0.1 -U postgres"),
    url: (address) => `postgres://postgres:${PASSWORD}@${address}/postgres`,
  },
  nats: {
    port: 4222,
    command: ["--jetstream", "--store_dir", "/data"],
    environment: {},
    dataAt: "/data",
    ready: (wait) => wait.forLogMessage(/Server is ready/),
    url: (address) => `nats://${address}`,
  },
  redis: {
    port: 6379,
    command: ["redis-server", "--save", "", "--protected-mode", "no"],
    environment: {},
    ready: (wait) => wait.forLogMessage(/Ready to accept connections/),
    url: (address) => `redis://${address}`,
  },
};

/** Starts a part by Testcontainers, on the given port or a free one, for a test run. */
export async function startTestContainer(part: Part, image: string, options: ServerOptions): Promise<RunningServer> {
  const containers = await import("testcontainers");
  await mkdir(options.folder, { recursive: true });
  const plan = PLANS[part];
  const { nats } = options;
  return startOnPort(PART_NAMES[part], options.port, async (port) => {
    const prepared = new containers.GenericContainer(image)
      .withCommand(nats === undefined ? [...plan.command] : ["--config", nats.configuration])
      .withEnvironment({ ...plan.environment, ...nats?.environment, NATS_STORE_DIR: "/data" })
      // A fixed port, so that a server that a test stops and starts again is found at the same place.
      .withExposedPorts({ container: plan.port, host: port })
      .withWaitStrategy(plan.ready(containers.Wait));
    if (plan.dataAt !== undefined)
      prepared
        .withBindMounts([{ source: options.folder, target: plan.dataAt }])
        // Files of the container's root would outlive the run of a user who may not remove them.
        .withUser(`${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`);
    if (nats !== undefined) {
      const folder = dirname(nats.configuration);
      prepared.withBindMounts([
        { source: options.folder, target: plan.dataAt ?? "/data" },
        // At the same place, so that the paths in the file hold.
        { source: folder, target: folder, mode: "ro" },
      ]);
    }
    const container = await prepared.start();
    const url = plan.url(`${container.getHost()}:${port}`);
    const stop = async () => void (await container.stop());
    const kill = async () => void (await container.stop({ timeout: 0 }));
    return { url, port, ended: NEVER, stop, kill };
  });
}
