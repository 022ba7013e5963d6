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

/** Secrets by variable name. */
export type SystemSecrets = Readonly<Record<(typeof SECRETS)[number], string>>;

/** Secrets that nobody has had before. */
export function inventSecrets(): SystemSecrets {
  return Object.fromEntries(SECRETS.map((name) => [name, inventSecret()])) as SystemSecrets;
}

/** 256 random bits, in letters that every configuration takes. */
export function inventSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What every service of a run is given unless told otherwise: the cheapest hash that is still the real thing; limits off, since all come from one address. */
export const SYSTEM_DEFAULTS = {
  PATH: process.env["PATH"],
  ENVIRONMENT: "test",
  HOST: "127.0.0.1",
  ARGON2_MEMORY_KIB: "8192",
  ARGON2_TIME_COST: "1",
  RATE_LIMIT_ENABLED: "false",
};

/** How many of each service; at least one. */
export async function findServicePorts(
  replicas: Readonly<Record<ServiceName, number>>,
): Promise<Record<ServiceName, readonly number[]>> {
  const portsOf = (count: number) => Promise.all(Array.from({ length: Math.max(1, count) }, () => freePort()));
  const [auth, user, gateway] = [replicas.auth, replicas.user, replicas.gateway].map(portsOf);
  return { auth: (await auth) ?? [], user: (await user) ?? [], gateway: (await gateway) ?? [] };
}

export interface SystemPlan extends Omit<StackAddresses, "natsUrl"> {
  readonly secrets: SystemSecrets;
  /** Variables for all of them. */
  readonly environment?: NodeJS.ProcessEnv;
  /** The bus as this replica reaches it. */
  natsUrl(service: ServiceName, replica: number): string;
  /** Variables for one replica, over all others. */
  own?(service: ServiceName, replica: number): NodeJS.ProcessEnv | undefined;
  /** The root of another checkout of this repository, whose build they are to be. */
  readonly tree?: string | undefined;
  readonly records: PidRecords;
}

/** auth, user and gateway as processes, so many of each as there are ports, none of them started yet. */
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
