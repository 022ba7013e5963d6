import { isPortFree, type ServiceName } from "@gatehouse/local-stack";
import { UsageError } from "./arguments.ts";
import { PORT_VARIABLES, type StackSettings } from "./settings.ts";

/** Where the gateway is reached from this machine: at HOST, or by loopback when it listens everywhere. */
export function gatewayHost(environment: NodeJS.ProcessEnv): string {
  const host = environment["HOST"] ?? "";
  if (["", "0.0.0.0", "::", "localhost"].includes(host)) return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** @throws UsageError naming the first port that another program listens on, and its variable */
export async function assertPortsFree({ ports, environment }: StackSettings): Promise<void> {
  for (const service of ["gateway", "auth", "user"] satisfies ServiceName[]) {
    const host = service === "gateway" ? environment["HOST"] || "127.0.0.1" : "127.0.0.1";
    if (!(await isPortFree(ports[service], host)))
      throw new UsageError(
        `Port ${ports[service]}, wanted for ${service}, is in use by another program: stop that, or set ${PORT_VARIABLES[service]}`,
      );
  }
}
