import { waitForFirstAdmin } from "@gatehouse/local-stack";
import {
  createSystemDatabases,
  createSystemServices,
  findServicePorts,
  inventSecrets,
  type ServiceHandle,
  type SystemDatabases,
} from "@gatehouse/test-kit/system";
import pg from "pg";
import { login, type Session } from "./client.ts";
import { type BenchServers, startServers } from "./servers.ts";
import { ADMIN } from "./stack.ts";

/** The whole system as processes, with a bus that can be taken away and a database that can be asked. */
export interface BenchSystem {
  readonly gateways: readonly ServiceHandle[];
  readonly users: readonly ServiceHandle[];
  readonly auth: ServiceHandle;
  readonly nats: BenchServers["nats"];
  /** Asks as the owner, who sees both schemas. */
  readonly database: pg.Client;
  readonly admin: Session;
  stop(): Promise<void>;
}

const ENVIRONMENT = {
  LOG_LEVEL: "info",
  FIRST_ADMIN_EMAIL: ADMIN.email,
  FIRST_ADMIN_PASSWORD: ADMIN.password,
};

/**
 * So many gateways in front of one user service; or for each environment a gateway with a user service to itself, both of which have these
 * variables. All share auth, database and bus, so that whoever registers at one is known at each.
 */
export type SystemShape =
  | { readonly gateways: number; readonly environment?: NodeJS.ProcessEnv }
  | { readonly pairs: readonly NodeJS.ProcessEnv[] };

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
    const { gateways, users, auth } = services;
    const admin = await login(gateways[0]?.url ?? "", ADMIN.email, ADMIN.password);
    return { gateways, users, auth, nats: servers.nats, database, admin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepareDatabase({ postgres }: BenchServers): Promise<SystemDatabases> {
  const superuser = new pg.Client({ connectionString: postgres.url });
  await superuser.connect();
  // So that the database tells when a transaction was committed.
  await superuser.query("alter system set track_commit_timestamp = on");
  await superuser.end();
  await postgres.restart();
  return createSystemDatabases(postgres.url);
}

async function createServices({ nats, records }: BenchServers, databaseUrls: SystemDatabases, shape: SystemShape) {
  const pairs = "pairs" in shape ? shape.pairs : undefined;
  const gatewayCount = "gateways" in shape ? shape.gateways : shape.pairs.length;
  const ports = await findServicePorts({ auth: 1, user: pairs?.length ?? 1, gateway: gatewayCount });
  const { auth, user, gateway } = createSystemServices({
    ports,
    secrets: inventSecrets(),
    environment: { ...ENVIRONMENT, ...("environment" in shape ? shape.environment : {}) },
    databaseUrls,
    natsUrl: () => nats.url,
    redisUrl: null,
    own: (service, replica) =>
      service === "auth" || pairs === undefined
        ? undefined
        : { ...pairs[replica], ...(service === "gateway" && { USER_URL: `http://127.0.0.1:${ports.user[replica]}` }) },
    records,
  });
  return { gateways: gateway, users: user, auth: auth[0] as ServiceHandle, all: [...gateway, ...user, ...auth] };
}
