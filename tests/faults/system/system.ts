import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  chooseSources,
  createFaultyLine,
  createRunFolder,
  createServiceHandle,
  databaseUrl,
  type FaultyLine,
  freePort,
  prepareDatabases,
  REPOSITORY_ROOT,
  type RestartableServer,
  serviceEnvironment,
  type ServiceHandle,
  type ServiceName,
  type StackAddresses,
  startRestartableServer,
  sweepDeadRuns,
  testProvidersFor,
} from "@gatehouse/testing/stack";
import pg from "pg";
import { createSmallDisk, type SmallDisk, sweepSmallDisks } from "./disk.ts";
import { type OutageRecord, recordOutages } from "./outages.ts";

export const ROOT = { email: "root@example.com", password: "Root-Of-All-1" };
/** REVOCATION_MAX_STALENESS_SECONDS: the least that can be set, so that as many revocations as possible meet a stale view. */
export const MAX_STALENESS_SECONDS = 2;

export type ServerName = "postgres" | "nats" | "redis";
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
  ENVIRONMENT: "test",
  HOST: "127.0.0.1",
  LOG_LEVEL: "warn",
  ARGON2_MEMORY_KIB: "8192",
  ARGON2_TIME_COST: "1",
  RATE_LIMIT_ENABLED: "false",
  REVOCATION_MAX_STALENESS_SECONDS: String(MAX_STALENESS_SECONDS),
  // Published rows of the outbox stay an access token's lifetime: with the longest one nothing is trimmed before it was counted.
  ACCESS_TOKEN_EXPIRE_MINUTES: "60",
  FIRST_ADMIN_EMAIL: ROOT.email,
  FIRST_ADMIN_PASSWORD: ROOT.password,
  CLOCK_SKEW_SECONDS: "0",
  NODE_OPTIONS: `--import ${new URL("clock-skew.ts", import.meta.url).href}`,
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
    const servers = await startServers(run.path, natsFolder, run.records, note);
    releasers.push(() => Promise.all(Object.values(servers).map((server) => server.stop())));
    const databases = await prepareStack(servers.postgres.url);
    const gatewayPorts = [await freePort(), await freePort()];
    const ports = { auth: [await freePort()], user: [await freePort()], gateway: gatewayPorts };
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

type Records = ReturnType<typeof createRunFolder>["records"];

async function startServers(folder: string, natsFolder: string, records: Records, note: (line: string) => void) {
  const options = { environment: process.env, cacheFolder: join(REPOSITORY_ROOT, ".cache"), note };
  // Programs on this machine: a process can be killed at any moment, and its files are where we put them.
  const parts: readonly ServerName[] = ["postgres", "nats", "redis"];
  const sources = await chooseSources(parts, (part) => testProvidersFor(part, "local", options), note);
  // Durable: what was acknowledged is to survive a kill, as in production.
  const start = (part: ServerName, own: string) =>
    startRestartableServer(part, sources[part], { folder: own, durable: true, records });
  const [postgres, nats, redis] = await Promise.all([
    start("postgres", join(folder, "postgres")),
    start("nats", natsFolder),
    start("redis", join(folder, "redis")),
  ]);
  return { postgres, nats, redis };
}

type ServiceDatabase = "owner" | "ledger" | "auth" | "user";

async function prepareStack(superuserUrl: string): Promise<Record<ServiceDatabase, string>> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  for (const name of ["gatehouse", "ledger"]) await client.query(`create database ${name}`);
  await client.end();
  const owner = databaseUrl(superuserUrl, "gatehouse");
  const as = (role: string) => databaseUrl(superuserUrl, "gatehouse", { role, password: "throw-away" });
  const serviceUrls = { auth: as("gatehouse_auth"), user: as("gatehouse_user") };
  await prepareDatabases({ ownerUrl: owner, serviceUrls });
  return { owner, ledger: databaseUrl(superuserUrl, "ledger"), ...serviceUrls };
}

async function createLines(
  servers: Record<ServerName, RestartableServer>,
  databases: Record<ServiceDatabase, string>,
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
  records: Records;
}): Record<InstanceName, ServiceHandle> {
  const { ports, lines, servers, records } = stack;
  const secret = () => randomBytes(32).toString("base64url");
  const base = {
    PATH: process.env["PATH"],
    ...ENVIRONMENT,
    JWT_SECRET_KEY: secret(),
    INTERNAL_API_TOKEN: secret(),
    INTROSPECTION_TOKEN: secret(),
  };
  const databaseUrls = { auth: lines["auth-postgres"].url, user: lines["user-postgres"].url };
  const create = (service: ServiceName, name: InstanceName, natsUrl: string, { replica = 0, more = {} } = {}) => {
    const addresses = { ports, databaseUrls, natsUrl, redisUrl: servers.redis.url };
    const environment = { ...serviceEnvironment(service, base, addresses, replica), ...more };
    const port = ports[service][replica];
    if (port === undefined) throw new Error(`${name} has no port`);
    return createServiceHandle({ service, name, port, environment, records });
  };
  return {
    auth: create("auth", "auth", lines["auth-nats"].url),
    user: create("user", "user", lines["user-nats"].url, { more: { AUTH_URL: lines["user-auth"].url } }),
    "gateway-1": create("gateway", "gateway-1", lines["gateway-nats"].url),
    "gateway-2": create("gateway", "gateway-2", servers.nats.url, { replica: 1 }),
  };
}

async function writeLogs(folder: string, services: readonly ServiceHandle[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(services.map(({ name, logs }) => writeFile(join(folder, `${name}.log`), `${logs().join("\n")}\n`)));
}
