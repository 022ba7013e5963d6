import {
  createServiceHandle,
  databaseUrl,
  freePort,
  prepareDatabases,
  serviceEnvironment,
  type ServiceHandle,
  type ServiceName,
  waitForFirstAdmin,
} from "@gatehouse/testing/stack";
import { randomBytes } from "node:crypto";
import pg from "pg";
import { login, type Session } from "./client.ts";
import { type BenchServers, startServers } from "./servers.ts";
import { ADMIN } from "./stack.ts";

/** The whole system as processes, with a bus that can be taken away and a database that can be asked. */
export interface BenchSystem {
  readonly gateways: readonly ServiceHandle[];
  readonly users: readonly ServiceHandle[];
  readonly nats: BenchServers["nats"];
  /** Asks as the owner, who sees both schemas. */
  readonly database: pg.Client;
  readonly admin: Session;
  stop(): Promise<void>;
}

/** The cheapest hash that is still the real thing, since hundreds of users must log in; limits off, all come from one address. */
const ENVIRONMENT = {
  ENVIRONMENT: "test",
  HOST: "127.0.0.1",
  LOG_LEVEL: "info",
  ARGON2_MEMORY_KIB: "8192",
  ARGON2_TIME_COST: "1",
  RATE_LIMIT_ENABLED: "false",
  FIRST_ADMIN_EMAIL: ADMIN.email,
  FIRST_ADMIN_PASSWORD: ADMIN.password,
};

/**
 * So many gateways in front of one user service; or for each environment a gateway with a user service to itself, both of which have these
 * variables. All share auth, database and bus, so that whoever registers at one is known at each.
 */
export type SystemShape = { readonly gateways: number } | { readonly pairs: readonly NodeJS.ProcessEnv[] };

export async function startSystem(shape: SystemShape): Promise<BenchSystem> {
  const servers = await startServers();
  const releasers: (() => Promise<unknown>)[] = [() => servers.stop()];
  const stop = async () => {
    for (const release of releasers.splice(0).toReversed()) await release();
  };
  try {
    const urls = await prepareDatabase(servers);
    const services = await createServices(servers, urls, shape);
    releasers.push(() => Promise.all(services.all.map((service) => service.stop("SIGINT"))));
    await Promise.all(services.all.map((service) => service.start()));
    await waitForFirstAdmin(ADMIN.email, urls);
    const database = new pg.Client({ connectionString: urls.owner });
    await database.connect();
    releasers.push(() => database.end());
    const { gateways, users } = services;
    const admin = await login(gateways[0]?.url ?? "", ADMIN.email, ADMIN.password);
    return { gateways, users, nats: servers.nats, database, admin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type DatabaseUrls = Record<"owner" | "auth" | "user", string>;

async function prepareDatabase({ postgres }: BenchServers): Promise<DatabaseUrls> {
  const superuser = new pg.Client({ connectionString: postgres.url });
  await superuser.connect();
  await superuser.query("create database gatehouse");
  // So that the database tells when a transaction was committed.
  await superuser.query("alter system set track_commit_timestamp = on");
  await superuser.end();
  await postgres.restart();
  const owner = databaseUrl(postgres.url, "gatehouse");
  const as = (role: string) => databaseUrl(postgres.url, "gatehouse", { role, password: "throw-away" });
  const serviceUrls = { auth: as("gatehouse_auth"), user: as("gatehouse_user") };
  await prepareDatabases({ ownerUrl: owner, serviceUrls });
  return { owner, ...serviceUrls };
}

async function createServices({ nats, records }: BenchServers, databaseUrls: DatabaseUrls, shape: SystemShape) {
  const pairs = "pairs" in shape ? shape.pairs : undefined;
  const gatewayCount = "gateways" in shape ? shape.gateways : shape.pairs.length;
  const ports = {
    auth: await freePorts(1),
    user: await freePorts(pairs?.length ?? 1),
    gateway: await freePorts(gatewayCount),
  };
  const secret = () => randomBytes(32).toString("base64url");
  const base = {
    PATH: process.env["PATH"],
    ...ENVIRONMENT,
    JWT_SECRET_KEY: secret(),
    INTERNAL_API_TOKEN: secret(),
    INTROSPECTION_TOKEN: secret(),
  };
  const create = (service: ServiceName) =>
    ports[service].map((port, replica) => {
      const own = service === "auth" ? {} : pairs?.[replica];
      const userPorts = pairs && service === "gateway" ? ports.user.slice(replica, replica + 1) : ports.user;
      const addresses = { ports: { ...ports, user: userPorts }, databaseUrls, natsUrl: nats.url, redisUrl: null };
      return createServiceHandle({
        service,
        name: `${service}-${replica + 1}`,
        port,
        environment: serviceEnvironment(service, { ...base, ...own }, addresses, replica),
        records,
      });
    });
  const [gateways, users] = [create("gateway"), create("user")];
  return { gateways, users, all: [...gateways, ...users, ...create("auth")] };
}

async function freePorts(count: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, () => freePort()));
}
