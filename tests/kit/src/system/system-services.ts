import { type PerService, perService, SERVICES } from "@gatehouse/declarations";
import {
  freePort,
  type PidRecords,
  serviceEnvironment,
  type ServiceName,
  type StackAddresses,
} from "@gatehouse/local-stack";
import { randomBytes } from "node:crypto";
import { createServiceHandle, type ServiceHandle } from "../services/service-handle.ts";

const SECRETS = ["JWT_SECRET_KEY", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"] as const;

/** Secrets by variable. */
export type SystemSecrets = Readonly<Record<(typeof SECRETS)[number], string>>;

/** Returns new secrets. */
export function inventSecrets(): SystemSecrets {
  return Object.fromEntries(SECRETS.map((name) => [name, inventSecret()])) as SystemSecrets;
}

/** Returns 256 random bits in base64url. */
export function inventSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Defaults of every service in tests: the cheapest real hash; no limits, because all requests have one address. */
export const SYSTEM_DEFAULTS = {
  PATH: process.env["PATH"],
  ENVIRONMENT: "test",
  HOST: "127.0.0.1",
  ARGON2_MEMORY_KIB: "8192",
  ARGON2_TIME_COST: "1",
  RATE_LIMIT_ENABLED: "false",
};

/** Finds free ports; at least one for each service. */
export async function findServicePorts(
  replicas: Readonly<Partial<Record<string, number>>>,
): Promise<PerService<readonly number[]>> {
  const portsOf = (count = 1) => Promise.all(Array.from({ length: Math.max(1, count) }, () => freePort()));
  const found = await Promise.all(SERVICES.map(async ({ name }) => [name, await portsOf(replicas[name])] as const));
  return Object.fromEntries(found) as unknown as PerService<readonly number[]>;
}

export interface SystemPlan extends Omit<StackAddresses, "natsUrl"> {
  readonly secrets: SystemSecrets;
  /** Variables for all services. */
  readonly environment?: NodeJS.ProcessEnv;
  /** NATS as this replica reaches it. */
  natsUrl(service: ServiceName, replica: number): string;
  /** Variables for one replica, over all others. */
  own?(service: ServiceName, replica: number): NodeJS.ProcessEnv | undefined;
  /** The root of another checkout of this repository, which the services then run. */
  readonly tree?: string | undefined;
  readonly records: PidRecords;
}

/** Creates a process handle for each port, without starting it. */
export function createSystemServices(plan: SystemPlan): PerService<readonly ServiceHandle[]> {
  const { ports, secrets, environment, tree, records } = plan;
  const base = { ...SYSTEM_DEFAULTS, ...secrets, ...environment };
  const replicasOf = (name: string, servicePorts: readonly number[]) =>
    servicePorts.map((port, replica) => {
      const service = name as ServiceName;
      const addresses = { ...plan, natsUrl: plan.natsUrl(service, replica) };
      return createServiceHandle({
        service,
        name: servicePorts.length === 1 ? service : `${service}-${replica + 1}`,
        port,
        tree,
        environment: { ...serviceEnvironment(service, base, addresses, replica), ...plan.own?.(service, replica) },
        records,
      });
    });
  return perService(({ name }) => replicasOf(name, ports[name] ?? []));
}
