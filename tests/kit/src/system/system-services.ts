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
  replicas: Readonly<Record<ServiceName, number>>,
): Promise<Record<ServiceName, readonly number[]>> {
  const portsOf = (count: number) => Promise.all(Array.from({ length: Math.max(1, count) }, () => freePort()));
  const [auth, user, gateway] = [replicas.auth, replicas.user, replicas.gateway].map(portsOf);
  return { auth: (await auth) ?? [], user: (await user) ?? [], gateway: (await gateway) ?? [] };
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
export function createSystemServices(plan: SystemPlan): Record<ServiceName, readonly ServiceHandle[]> {
  const { ports, secrets, environment, tree, records } = plan;
  const base = { ...SYSTEM_DEFAULTS, ...secrets, ...environment };
  const replicasOf = (service: ServiceName) =>
    ports[service].map((port, replica) => {
      const addresses = { ...plan, natsUrl: plan.natsUrl(service, replica) };
      return createServiceHandle({
        service,
        name: ports[service].length === 1 ? service : `${service}-${replica + 1}`,
        port,
        tree,
        environment: { ...serviceEnvironment(service, base, addresses, replica), ...plan.own?.(service, replica) },
        records,
      });
    });
  return { auth: replicasOf("auth"), user: replicasOf("user"), gateway: replicasOf("gateway") };
}
