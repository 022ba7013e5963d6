import { type PerService, perService, SERVICES, SERVICES_WITH_DATABASE } from "@gatehouse/declarations";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { UsageError } from "./arguments.ts";

export interface StackSettings {
  readonly dir: string;
  readonly ports: PerService<number>;
  /** The variables of the process over those of .env. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Returns the settings of a stack. Variables of the process override those in the text of .env.
 * @throws UsageError with the name of an invalid variable
 */
export function readSettings(variables: NodeJS.ProcessEnv, envFile: string, root: string): StackSettings {
  const { dir, environment } = readStackEnvironment(variables, envFile, root);
  const ports = perService(({ port }) => readPort(environment, port.variable, port.number));
  for (const name of ["POSTGRES_PORT", "NATS_PORT", "REDIS_PORT"])
    if (environment[name]) readPort(environment, name, 0);
  for (const [index, { name, port }] of SERVICES.entries()) {
    const same = SERVICES.slice(index + 1).find((other) => ports[other.name] === ports[name]);
    if (same !== undefined)
      throw new UsageError(`${port.variable} and ${same.port.variable} are the same port, ${ports[name]}`);
  }
  if (!environment["DATABASE_URL"] && !environment["POSTGRES_HOST"])
    for (const { database } of SERVICES_WITH_DATABASE)
      if (environment[database.urlVariable])
        throw new UsageError(
          `${database.urlVariable} is set but DATABASE_URL, which creates its schema, is not. Set both or neither.`,
        );
  return { dir, ports, environment };
}

/** Returns the variables and STACK_DIR, without validating the rest. */
export function readStackEnvironment(
  variables: NodeJS.ProcessEnv,
  envFile: string,
  root: string,
): Pick<StackSettings, "dir" | "environment"> {
  const environment: NodeJS.ProcessEnv = { ...parseEnv(envFile), ...variables };
  return { dir: resolve(root, environment["STACK_DIR"] || ".stack"), environment };
}

/** Returns the text of a file, empty when it does not exist. */
export function readOptionalFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function readPort(environment: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const raw = environment[name] || String(fallback);
  const port = /^\s*\d{1,5}\s*$/.test(raw) ? Number(raw) : Number.NaN;
  if (port >= (fallback === 0 ? 0 : 1) && port <= 65_535) return port;
  throw new UsageError(`${name} must be a port, a whole number from 1 to 65535`);
}
