import { freePort, type RestartableServer, runFolder } from "@gatehouse/local-stack";
import { basename } from "node:path";
import { inject } from "vitest";
import "../global-setup.ts";
import { createTestDatabase, type TestDatabase } from "../fixtures/test-database.ts";
import { createLockedBus, type ServerCertificate } from "../fixtures/locked-bus.ts";
import { createTestBus, createTestRedis } from "../fixtures/test-server.ts";
import type { BusUser } from "../servers/locked-nats.ts";
import { assertNoSecrets } from "../secrets/assert-no-secrets.ts";
import {
  createSystemServices,
  findServicePorts,
  inventSecrets,
  SYSTEM_DEFAULTS,
  type SystemSecrets,
} from "../system/system-services.ts";
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
  readonly secrets: SystemSecrets;
  /** Starts a service of one's own beside them; `stop` ends it, too. */
  add(service: AddedProcess): Promise<ServiceHandle>;
  /**
   * Ends everything.
   * @throws Error when one of the services has written a secret or personal data in any of its lives
   */
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

/** Starts auth, user and gateways as real processes with a database, a NATS server and a Redis of their own; returns when all are ready. */
export async function startServices(options: ServicesOptions = {}): Promise<RunningServices> {
  const [database, { bus, busUrl }, redis] = await Promise.all([
    createTestDatabase(),
    startBus(options.lockedBus),
    options.redis === false ? null : createTestRedis(),
  ]);
  const secrets = inventSecrets();
  const ports = await findServicePorts({
    auth: options.auths ?? 1,
    user: options.users ?? 1,
    gateway: options.gateways ?? 1,
  });
  const { records } = runFolder(inject("gatehouse").folder);
  const common = { ...SYSTEM_DEFAULTS, ...options.environment };
  const services = createSystemServices({
    ports,
    secrets,
    environment: common,
    databaseUrls: database.serviceUrls,
    natsUrl: busUrl,
    redisUrl: redis?.url ?? null,
    own: (service) => options[service],
    records,
  });
  const { auth: auths, user: users, gateway: gateways } = services;
  const [auth, user, gateway] = [firstOf(auths), firstOf(users), firstOf(gateways)];
  const handles = Object.values(services).flat();
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
  const end = async () => {
    await Promise.all(handles.map((handle) => handle.stop("SIGINT")));
    await Promise.all([bus.stop(), redis?.stop()]);
    await database.drop();
  };
  const stop = async () => {
    await end();
    assertNoSecrets(handles.map(({ name, logs }) => ({ name, lines: logs() })));
  };
  try {
    await Promise.all(handles.map((handle) => handle.start()));
  } catch (error) {
    await end();
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

function firstOf(handles: readonly ServiceHandle[]): ServiceHandle {
  const [first] = handles;
  if (first === undefined) throw new Error("a service has at least one replica");
  return first;
}
