import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { inject } from "vitest";
import "../global-setup.ts";
import { createTestDatabase, type TestDatabase } from "../fixtures/test-database.ts";
import { type BusUser, createLockedBus, type ServerCertificate } from "../fixtures/locked-bus.ts";
import { createTestBus, createTestRedis } from "../fixtures/test-server.ts";
import { freePort } from "../process/free-port.ts";
import type { RestartableServer } from "../servers/restartable-server.ts";
import { runFolder } from "../temporary-folders.ts";
import { serviceEnvironment, type ServiceName } from "./service-environment.ts";
import { createServiceHandle, type ServiceHandle } from "./service-handle.ts";

export interface ServicesOptions {
  /** Variables for all services. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Variables for one service, over those for all. */
  readonly auth?: NodeJS.ProcessEnv;
  readonly user?: NodeJS.ProcessEnv;
  readonly gateway?: NodeJS.ProcessEnv;
  /** How many replicas of each, 1 unless told; all speak to all. */
  readonly auths?: number;
  readonly users?: number;
  readonly gateways?: number;
  /** False: without Redis. */
  readonly redis?: boolean;
  /** NATS has the configuration that deploy/nats ships, and each service is a user of its own; with a certificate it speaks TLS. */
  readonly lockedBus?: true | ServerCertificate;
}

export interface RunningServices {
  /** The first gateway's URL. */
  readonly url: string;
  /** The first of each, for stacks that have one. */
  readonly auth: ServiceHandle;
  readonly user: ServiceHandle;
  readonly auths: readonly ServiceHandle[];
  readonly users: readonly ServiceHandle[];
  readonly gateways: readonly ServiceHandle[];
  readonly database: TestDatabase;
  readonly bus: RestartableServer;
  /** The bus as one of its users; as anybody where it has none. */
  busUrl(user: BusUser): string;
  readonly redis: RestartableServer | null;
  /** Secrets of this stack by variable name, for calls to /internal. */
  readonly secrets: Readonly<Record<(typeof SECRETS)[number], string>>;
  /** Starts a service of one's own beside them; `stop` ends it, too. */
  add(service: AddedProcess): Promise<ServiceHandle>;
  /** Ends everything. */
  stop(): Promise<void>;
}

interface AddedProcess {
  /** Its folder, from the root. */
  readonly folder: string;
  /** The variable that says where it listens. */
  readonly portVariable: string;
  /** Who it is on a bus that has users. */
  readonly busUser: BusUser;
  /** What it needs beside the addresses and the secret that every consumer of tokens and events is given. */
  readonly environment: NodeJS.ProcessEnv;
}

const SECRETS = ["JWT_SECRET_KEY", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"] as const;

/** Tests wait for hashes; these are the cheapest parameters that are still the real thing. Limits off, tests come from one address. */
const TEST_DEFAULTS = {
  ENVIRONMENT: "test",
  HOST: "127.0.0.1",
  ARGON2_MEMORY_KIB: "8192",
  ARGON2_TIME_COST: "1",
  RATE_LIMIT_ENABLED: "false",
};

/** Starts auth, user and gateways as real processes with a database, a NATS server and a Redis of their own; returns when all are ready. */
export async function startServices(options: ServicesOptions = {}): Promise<RunningServices> {
  const [database, { bus, busUrl }, redis] = await Promise.all([
    createTestDatabase(),
    startBus(options.lockedBus),
    options.redis === false ? null : createTestRedis(),
  ]);
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, randomBytes(32).toString("base64url")])) as Record<
    (typeof SECRETS)[number],
    string
  >;
  const ports = {
    auth: await freePorts(options.auths),
    user: await freePorts(options.users),
    gateway: await freePorts(options.gateways),
  };
  const { records } = runFolder(inject("gatehouse").folder);
  const common = { PATH: process.env["PATH"], ...TEST_DEFAULTS, ...options.environment };
  const base = { ...secrets, ...common };
  const addresses = {
    ports,
    databaseUrls: { auth: database.authUrl, user: database.userUrl },
    redisUrl: redis?.url ?? null,
  };
  const replicasOf = (service: ServiceName) =>
    ports[service].map((port, replica) =>
      createServiceHandle({
        service,
        name: nameOf(service, replica, ports[service].length),
        port,
        environment: {
          ...serviceEnvironment(service, base, { ...addresses, natsUrl: busUrl(service) }, replica),
          ...options[service],
        },
        records,
      }),
    );
  const [auths, users, gateways] = [replicasOf("auth"), replicasOf("user"), replicasOf("gateway")];
  const [auth, user, gateway] = [firstOf(auths), firstOf(users), firstOf(gateways)];
  const handles = [...gateways, ...users, ...auths];
  const add = async ({ folder, portVariable, busUser, environment }: AddedProcess) => {
    const port = await freePort();
    const variables = {
      ...common,
      NATS_URL: busUrl(busUser),
      AUTH_URL: auths.map(({ url }) => url).join(),
      INTROSPECTION_TOKEN: secrets.INTROSPECTION_TOKEN,
      [portVariable]: String(port),
      ...environment,
    };
    const handle = createServiceHandle({ service: basename(folder), folder, port, environment: variables, records });
    handles.unshift(handle);
    await handle.start();
    return handle;
  };
  const stop = async () => {
    await Promise.all(handles.map((handle) => handle.stop("SIGINT")));
    await Promise.all([bus.stop(), redis?.stop()]);
    await database.drop();
  };
  try {
    await Promise.all(handles.map((handle) => handle.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: gateway.url, auth, user, auths, users, gateways, database, bus, busUrl, redis, secrets, add, stop };
}

async function startBus(locked: ServicesOptions["lockedBus"]): Promise<Pick<RunningServices, "bus" | "busUrl">> {
  if (locked === undefined) {
    const bus = await createTestBus();
    return { bus, busUrl: () => bus.url };
  }
  const bus = await createLockedBus(locked === true ? undefined : locked);
  return { bus, busUrl: bus.urlOf };
}

/** Ports for so many replicas of a service, at least one. */
async function freePorts(count = 1): Promise<number[]> {
  return await Promise.all(Array.from({ length: Math.max(1, count) }, () => freePort()));
}

function nameOf(service: ServiceName, replica: number, replicas: number): string {
  return replicas === 1 ? service : `${service}-${replica + 1}`;
}

function firstOf(handles: readonly ServiceHandle[]): ServiceHandle {
  const [first] = handles;
  if (first === undefined) throw new Error("a service has at least one replica");
  return first;
}
