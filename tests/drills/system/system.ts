import {
  createRunFolder,
  databaseUrl,
  type RestartableServer,
  type ServiceName,
  sweepDeadRuns,
} from "@gatehouse/local-stack";
import {
  createLoadBalancer,
  createSystemDatabases,
  createSystemServices,
  findServicePorts,
  inventPasswords,
  inventSecret,
  inventSecrets,
  type LoadBalancer,
  type ServiceHandle,
  shippedConfiguration,
  startRunServers,
  type SystemDatabases,
  type SystemSecrets,
} from "@gatehouse/test-kit/system";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

const OWNER = "gatehouse_owner";
const REPLICAS = { auth: 2, user: 2, gateway: 2 };

/**
 * The whole of Gatehouse as an operator runs it: two processes of each service, PostgreSQL with an owner who is no superuser, NATS
 * with the configuration that deploy/nats ships, Redis with a password.
 */
export interface System {
  readonly services: Readonly<Record<ServiceName, readonly ServiceHandle[]>>;
  readonly servers: Readonly<Record<"postgres" | "nats" | "redis", RestartableServer>>;
  /** The clients' way to the gateways. */
  readonly balancer: LoadBalancer;
  /** What the services were started with. */
  readonly secrets: SystemSecrets;
  readonly databaseUrls: SystemDatabases;
  /** The variables of the nats-server; it reads them at each start. */
  readonly natsEnvironment: Record<string, string>;
  stop(): Promise<void>;
}

/** The limits count, in Redis, and are out of the load's reach: all of it comes from one address. */
const ENVIRONMENT = {
  LOG_LEVEL: "info",
  RATE_LIMIT_ENABLED: "true",
  RATE_LIMIT_DEFAULT: "1000000/minute",
  RATE_LIMIT_LOGIN: "1000000/minute",
  RATE_LIMIT_REGISTER: "1000000/minute",
};

export interface SystemOptions {
  /** Variables for all services. */
  readonly environment?: NodeJS.ProcessEnv;
  /** The root of another checkout of this repository, whose build and schemas they are to be. */
  readonly tree?: string | undefined;
  /** Is told what takes its time. */
  readonly note: (line: string) => void;
  /** Where the services' logs are written at the end; nowhere unless given. */
  readonly logFolder?: string | undefined;
}

export async function startSystem({ environment, tree, note, logFolder }: SystemOptions): Promise<System> {
  await sweepDeadRuns();
  const run = createRunFolder();
  const releasers: (() => Promise<unknown>)[] = [() => run.remove()];
  const stop = async () => {
    for (const release of releasers.splice(0).toReversed()) await release();
  };
  try {
    const bus = inventPasswords();
    const natsEnvironment = { ...bus.environment };
    const servers = await startRunServers(run, ["postgres", "nats", "redis"], {
      note,
      setups: {
        nats: { nats: { configuration: shippedConfiguration("nats-server.conf"), environment: natsEnvironment } },
        redis: { password: inventSecret() },
      },
    });
    releasers.push(() => Promise.all(Object.values(servers).map((server) => server.stop())));
    const databaseUrls = await createSystemDatabases(await createOwner(servers.postgres.url), tree);
    const secrets = inventSecrets();
    const services = createSystemServices({
      ports: await findServicePorts(REPLICAS),
      secrets,
      environment: { ...ENVIRONMENT, ...environment },
      databaseUrls,
      natsUrl: (service) => `nats://${bus.credentialsOf(service)}@127.0.0.1:${servers.nats.port}`,
      redisUrl: servers.redis.url,
      tree,
      records: run.records,
    });
    const all = Object.values(services).flat();
    if (logFolder !== undefined) releasers.push(() => writeLogs(logFolder, all));
    releasers.push(() => Promise.all(all.map((service) => service.stop("SIGINT"))));
    note("starting two of each service");
    await Promise.all(all.map((service) => service.start()));
    const balancer = await createLoadBalancer(services.gateway.map(({ url }) => url));
    releasers.push(() => balancer.close());
    return { services, servers, balancer, secrets, databaseUrls, natsEnvironment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @returns the server as its owner reaches it */
async function createOwner(superuserUrl: string): Promise<string> {
  const password = inventSecret();
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  await superuser.query(`create role ${OWNER} login createdb createrole password '${password}'`);
  await superuser.end();
  return databaseUrl(superuserUrl, "postgres", { role: OWNER, password });
}

async function writeLogs(folder: string, services: readonly ServiceHandle[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(services.map(({ name, logs }) => writeFile(join(folder, `${name}.log`), `${logs().join("\n")}\n`)));
}
