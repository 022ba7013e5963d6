import {
  createRunFolder,
  databaseUrl,
  type PidRecords,
  type RestartableServer,
  type StackAddresses,
  sweepDeadRuns,
} from "@gatehouse/local-stack";
import {
  createFaultyLine,
  createSystemDatabases,
  createSystemServices,
  type FaultyLine,
  findServicePorts,
  inventSecrets,
  type ServiceHandle,
  skewedClock,
  startRunServers,
  type SystemDatabases,
} from "@gatehouse/test-kit/system";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { createSmallDisk, type SmallDisk, sweepSmallDisks } from "./disk.ts";
import { type OutageRecord, recordOutages } from "./outages.ts";

export const ROOT = { email: "root@example.com", password: "Root-Of-All-1" };
/** REVOCATION_MAX_STALENESS_SECONDS: the least that can be set, so that as many revocations as possible meet a stale view. */
export const MAX_STALENESS_SECONDS = 2;

const SERVER_NAMES = ["postgres", "nats", "redis"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];
export type InstanceName = "auth" | "user" | "gateway-1" | "gateway-2";
export const LINE_NAMES = [
  "auth-postgres",
  "user-postgres",
  "auth-nats",
  "user-nats",
  "gateway-nats",
  "user-auth",
] as const;
type LineName = (typeof LINE_NAMES)[number];

/** The whole of Gatehouse as processes, with servers of its own and a line between each service and what it needs. */
export interface System {
  readonly services: Readonly<Record<InstanceName, ServiceHandle>>;
  readonly gateways: readonly [ServiceHandle, ServiceHandle];
  readonly servers: Readonly<Record<ServerName, RestartableServer>>;
  readonly lines: Readonly<Record<LineName, FaultyLine>>;
  /** The disk under NATS; undefined where this machine gives us none. */
  readonly disk: SmallDisk | undefined;
  readonly databaseUrls: { readonly owner: string; readonly ledger: string };
  /** When auth could not act. */
  readonly authOutages: OutageRecord;
  stop(): Promise<void>;
}

const ENVIRONMENT = {
  LOG_LEVEL: "warn",
  REVOCATION_MAX_STALENESS_SECONDS: String(MAX_STALENESS_SECONDS),
  // Published rows of the outbox stay an access token's lifetime: with the longest one nothing is trimmed before it was counted.
  ACCESS_TOKEN_EXPIRE_MINUTES: "60",
  FIRST_ADMIN_EMAIL: ROOT.email,
  FIRST_ADMIN_PASSWORD: ROOT.password,
  ...skewedClock(0),
};

/**
 * @param options.note is told what takes its time
 * @param options.logFolder where the services' logs are written at the end; nowhere unless given
 */
export async function startSystem(options: {
  note: (line: string) => void;
  logFolder?: string | undefined;
}): Promise<System> {
  const { note, logFolder } = options;
  await sweepSmallDisks();
  await sweepDeadRuns();
  const run = createRunFolder();
  const releasers: (() => Promise<unknown>)[] = [() => run.remove()];
  const release = async () => {
    for (const releaser of releasers.splice(0).toReversed()) await releaser();
  };
  try {
    const natsFolder = join(run.path, "nats");
    await mkdir(natsFolder);
    const disk = await createSmallDisk(natsFolder);
    if (disk) releasers.push(() => disk.remove());
    const servers = await startRunServers(run, SERVER_NAMES, { note });
    releasers.push(() => Promise.all(Object.values(servers).map((server) => server.stop())));
    const databases = await prepareStack(servers.postgres.url);
    const ports = await findServicePorts({ auth: 1, user: 1, gateway: 2 });
    const lines = await createLines(servers, databases, `http://127.0.0.1:${String(ports.auth[0])}`);
    releasers.push(() => Promise.all(Object.values(lines).map((line) => line.close())));
    const services = createServices({ ports, lines, servers, records: run.records });
    if (logFolder !== undefined) releasers.push(() => writeLogs(logFolder, Object.values(services)));
    releasers.push(() => Promise.all(Object.values(services).map((service) => service.stop("SIGINT"))));
    note("starting the services");
    await Promise.all(Object.values(services).map((service) => service.start()));
    return {
      services,
      gateways: [services["gateway-1"], services["gateway-2"]],
      servers,
      lines,
      disk,
      databaseUrls: databases,
      authOutages: recordOutages(),
      stop: release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function prepareStack(superuserUrl: string): Promise<SystemDatabases & { readonly ledger: string }> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query("create database ledger");
  await client.end();
  return { ...(await createSystemDatabases(superuserUrl)), ledger: databaseUrl(superuserUrl, "ledger") };
}

async function createLines(
  servers: Record<ServerName, RestartableServer>,
  databases: SystemDatabases,
  authUrl: string,
): Promise<Record<LineName, FaultyLine>> {
  const targets: Record<LineName, string> = {
    "auth-postgres": databases.auth,
    "user-postgres": databases.user,
    "auth-nats": servers.nats.url,
    "user-nats": servers.nats.url,
    "gateway-nats": servers.nats.url,
    "user-auth": authUrl,
  };
  const lines = LINE_NAMES.map(async (name) => [name, await createFaultyLine(targets[name])] as const);
  return Object.fromEntries(await Promise.all(lines)) as Record<LineName, FaultyLine>;
}

function createServices(stack: {
  ports: StackAddresses["ports"];
  lines: Record<LineName, FaultyLine>;
  servers: Record<ServerName, RestartableServer>;
  records: PidRecords;
}): Record<InstanceName, ServiceHandle> {
  const { ports, lines, servers, records } = stack;
  const services = createSystemServices({
    ports,
    secrets: inventSecrets(),
    environment: ENVIRONMENT,
    databaseUrls: { auth: lines["auth-postgres"].url, user: lines["user-postgres"].url },
    // Only the second gateway has the bus to itself.
    natsUrl: (service, replica) => (replica === 0 ? lines[`${service}-nats`].url : servers.nats.url),
    redisUrl: servers.redis.url,
    own: (service) => (service === "user" ? { AUTH_URL: lines["user-auth"].url } : undefined),
    records,
  });
  const all = Object.values(services).flat();
  return Object.fromEntries(all.map((service) => [service.name, service])) as Record<InstanceName, ServiceHandle>;
}

async function writeLogs(folder: string, services: readonly ServiceHandle[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(services.map(({ name, logs }) => writeFile(join(folder, `${name}.log`), `${logs().join("\n")}\n`)));
}
