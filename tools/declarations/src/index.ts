import type { ServiceDeclaration } from "@gatehouse/contracts";
import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const REPOSITORY_ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A service's declaration and its folder, from the root. */
export interface DeclaredService extends ServiceDeclaration {
  readonly folder: string;
}

/** A value for each service by name. The type names the three services that the tools know themselves. */
export type PerService<T> = Readonly<Record<string, T> & { auth: T; user: T; gateway: T }>;

async function load(pattern: string): Promise<DeclaredService[]> {
  const files = globSync(pattern, { cwd: REPOSITORY_ROOT }).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const module = (await import(pathToFileURL(join(REPOSITORY_ROOT, file)).href)) as { service: ServiceDeclaration };
      return { ...module.service, folder: dirname(file) };
    }),
  );
}

/** The services, in the order of their names. */
export const SERVICES: readonly DeclaredService[] = await load("services/*/service.ts");

/** The example services, which nothing starts by itself. */
export const EXAMPLES: readonly DeclaredService[] = existsSync(join(REPOSITORY_ROOT, "examples"))
  ? await load("examples/*/service.ts")
  : [];

/** @throws Error for an unknown name */
export function serviceNamed(name: string): DeclaredService {
  const service = [...SERVICES, ...EXAMPLES].find((one) => one.name === name);
  if (service === undefined) throw new Error(`There is no service ${name}: no service.ts declares it.`);
  return service;
}

/** Returns a value for each service. */
export function perService<T>(value: (service: DeclaredService) => T): PerService<T> {
  return Object.fromEntries(SERVICES.map((service) => [service.name, value(service)])) as PerService<T>;
}

/** Returns the services that `service` reaches over HTTP; the gateway reaches every service with public routes. */
export function calledBy({ name, calls = [], isEdge }: DeclaredService): string[] {
  const routed = isEdge ? SERVICES.filter((one) => one.routes !== undefined).map((one) => one.name) : [];
  return [...new Set([...calls, ...routed])].filter((one) => one !== name).toSorted();
}

/** Returns the name of the variable with the URLs of a service's replicas: `AUTH_URL`. */
export function urlVariableOf(name: string): string {
  return `${name.toUpperCase().replaceAll("-", "_")}_URL`;
}

export type ServiceWithDatabase = DeclaredService & Required<Pick<DeclaredService, "database">>;

export function hasDatabase(service: DeclaredService): service is ServiceWithDatabase {
  return service.database !== undefined;
}

/** The services that have a schema. */
export const SERVICES_WITH_DATABASE: readonly ServiceWithDatabase[] = SERVICES.filter(hasDatabase);
