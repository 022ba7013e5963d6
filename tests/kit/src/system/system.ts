import { SERVICES_WITH_DATABASE } from "@gatehouse/declarations";
import {
  databaseUrl,
  type Part,
  prepareDatabases,
  type RestartableServer,
  type ServiceName,
  type StackAddresses,
} from "@gatehouse/local-stack";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceHandle } from "../services/service-handle.ts";
import { note } from "../run/progress.ts";
import { queryOnce, type ServersOptions, startServers } from "./servers.ts";
import { createSystemServices, findServicePorts, inventSecrets, type SystemPlan } from "./system-services.ts";

/** How each role reaches the database of a system. */
type SystemDatabases = StackAddresses["databaseUrls"] & { readonly owner: string };

/** How the services reach each other and their servers, where that differs from the shortest way. */
type Connections = Partial<Pick<SystemPlan, "databaseUrls" | "natsUrl" | "own">>;

type AllServers = Readonly<Record<Part, RestartableServer>>;

export interface SystemOptions<P extends Part> extends ServersOptions<P> {
  readonly parts: readonly P[];
  /** How many of each service. Default: 1. */
  readonly replicas: Readonly<Record<ServiceName, number>>;
  /** Variables for all services. */
  readonly environment?: NodeJS.ProcessEnv;
  /** The root of another checkout of this repository, which the system then runs. */
  readonly tree?: string | undefined;
  /** Where the services' logs are written at the end. Default: none. */
  readonly logFolder?: string | undefined;
  /** Changes PostgreSQL before the database is created. Returns the URL of the database's owner. */
  readonly prepareServer?: (postgres: RestartableServer) => Promise<string>;
  readonly connect?: (
    parts: { servers: AllServers; databaseUrls: SystemDatabases; ports: StackAddresses["ports"] },
    releases: AsyncDisposableStack,
  ) => Connections | Promise<Connections>;
}

export type System = Awaited<ReturnType<typeof startSystem>>;

/** Starts all of Gatehouse as processes, for faults, drills and benches. Disposing it stops them and removes their data. */
export async function startSystem<P extends Part>(options: SystemOptions<P>) {
  const { parts, replicas, environment, tree, logFolder, prepareServer, connect } = options;
  await using releases = new AsyncDisposableStack();
  const { servers: started, run } = releases.use(await startServers(parts, options));
  const servers = started as AllServers;
  const owner = (await prepareServer?.(servers.postgres)) ?? servers.postgres.url;
  const databaseUrls = await createDatabases(owner, tree);
  const ports = await findServicePorts(replicas);
  const secrets = inventSecrets();
  const services = createSystemServices({
    ...{ ports, secrets, environment: environment ?? {}, tree, records: run.records, databaseUrls },
    redisUrl: parts.some((part) => part === "redis") ? servers.redis.url : null,
    natsUrl: () => servers.nats.url,
    ...(await connect?.({ servers, databaseUrls, ports }, releases)),
  });
  const all = Object.values(services).flat();
  if (logFolder !== undefined) releases.defer(() => writeLogs(logFolder, all));
  releases.defer(async () => void (await Promise.all(all.map((service) => service.stop("SIGINT")))));
  note(`starting ${all.map(({ name }) => name).join(", ")}`);
  await Promise.all(all.map((service) => service.start()));
  const kept = releases.move();
  return { services, servers: started, databaseUrls, secrets, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Creates the database `gatehouse` with all schemas migrated, from the migrations of `tree`. */
async function createDatabases(serverUrl: string, tree?: string): Promise<SystemDatabases> {
  await queryOnce(serverUrl, "create database gatehouse");
  const owner = databaseUrl(serverUrl, "gatehouse");
  const as = (role: string) => databaseUrl(serverUrl, "gatehouse", { role, password: "throw-away" });
  const serviceUrls = Object.fromEntries(
    SERVICES_WITH_DATABASE.map(({ name, database: { role } }) => [name, as(role)]),
  ) as StackAddresses["databaseUrls"];
  await prepareDatabases({ ownerUrl: owner, serviceUrls, tree });
  return { owner, ...serviceUrls };
}

async function writeLogs(folder: string, services: readonly ServiceHandle[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(services.map(({ name, logs }) => writeFile(join(folder, `${name}.log`), `${logs().join("\n")}\n`)));
}

/** Variables that give a Node process a clock which is `seconds` ahead, or behind. */
export function skewedClock(seconds: number): NodeJS.ProcessEnv {
  return {
    CLOCK_SKEW_SECONDS: String(seconds),
    NODE_OPTIONS: `--import ${new URL("clock-skew.ts", import.meta.url).href}`,
  };
}
