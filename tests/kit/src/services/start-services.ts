import { freePort, type RestartableServer, runFolder } from "@gatehouse/local-stack";
import { basename } from "node:path";
import { inject } from "vitest";
import "../global-setup.ts";
import { createTestDatabase, type TestDatabase } from "../fixtures/test-database.ts";
import { createLockedBus, type LockedBus, type ServerCertificate } from "../fixtures/locked-bus.ts";
import { createTestBus, createTestRedis } from "../fixtures/test-server.ts";
import { assertNoSecrets } from "../secrets.ts";
import type { BusUser } from "../servers/locked-nats.ts";
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
  /** Replicas. Default: 1. */
  readonly auths?: number;
  readonly users?: number;
  readonly gateways?: number;
  /** False: without Redis. */
  readonly redis?: boolean;
  /** NATS with the configuration of deploy/nats and a user for each service; with a certificate over TLS. */
  readonly lockedBus?: true | ServerCertificate;
}

export interface RunningServices {
  /** The first gateway's URL. */
  readonly url: string;
  /** The first replica. */
  readonly auth: ServiceHandle;
  readonly user: ServiceHandle;
  readonly auths: readonly ServiceHandle[];
  readonly users: readonly ServiceHandle[];
  readonly gateways: readonly ServiceHandle[];
  readonly database: TestDatabase;
  readonly bus: RestartableServer;
  /** The bus' URL for one of its users; the same for all where it has none. */
  busUrl(user: BusUser): string;
  readonly redis: RestartableServer | null;
  /** Secrets by variable, for calls to /internal. */
  readonly secrets: SystemSecrets;
  /** Starts another service; `stop` stops it too. */
  add(service: AddedProcess): Promise<ServiceHandle>;
  /**
   * Stops everything.
   * @throws Error when a service logged a secret or personal data
   */
  stop(): Promise<void>;
}

interface AddedProcess {
  /** From the root. */
  readonly folder: string;
  readonly portVariable: string;
  /** Its user on a locked bus. */
  readonly busUser: BusUser;
  /** Variables beside the addresses and INTROSPECTION_TOKEN. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts all services as processes with their own database, NATS server and Redis; returns when all are ready. */
export async function startServices(options: ServicesOptions = {}): Promise<RunningServices> {
  const { lockedBus } = options;
  const [database, bus, redis] = await Promise.all([
    createTestDatabase(),
    lockedBus === undefined ? createTestBus() : createLockedBus(lockedBus === true ? undefined : lockedBus),
    options.redis === false ? null : createTestRedis(),
  ]);
  const busUrl = (user: BusUser) => (bus as Partial<LockedBus>).urlOf?.(user) ?? bus.url;
  const secrets = inventSecrets();
  const { auths: auth, users: user, gateways: gateway } = { auths: 1, users: 1, gateways: 1, ...options };
  const ports = await findServicePorts({ auth, user, gateway });
  const { records } = runFolder(inject("gatehouse").folder);
  const common = { ...SYSTEM_DEFAULTS, ...options.environment };
  const services = createSystemServices({
    ...{ ports, secrets, records, environment: common, databaseUrls: database.serviceUrls },
    natsUrl: busUrl,
    redisUrl: redis?.url ?? null,
    own: (service) => options[service],
  });
  const handles = Object.values(services).flat();
  const end = async () => {
    await Promise.all(handles.map((handle) => handle.stop("SIGINT")));
    await Promise.all([bus.stop(), redis?.stop()]);
    await database.drop();
  };
  try {
    await Promise.all(handles.map((handle) => handle.start()));
  } catch (error) {
    await end();
    throw error;
  }
  const { auth: auths, user: users, gateway: gateways } = services;
  return {
    ...{ auth: firstOf(auths), user: firstOf(users), url: firstOf(gateways).url },
    ...{ auths, users, gateways, database, bus, busUrl, redis, secrets },
    async add({ folder, portVariable, busUser, environment }) {
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
    },
    async stop() {
      await end();
      assertNoSecrets(handles.map(({ name, logs }) => ({ name, lines: logs() })));
    },
  };
}

function firstOf([first]: readonly ServiceHandle[]): ServiceHandle {
  if (first === undefined) throw new Error("a service has at least one replica");
  return first;
}
