import { SERVICES } from "@gatehouse/declarations";
import { isPortFree } from "@gatehouse/local-stack";
import { UsageError } from "./arguments.ts";
import type { StackSettings } from "./settings.ts";

/** Where the gateway is reached from this machine: at HOST, or by loopback when it listens everywhere. */
export function gatewayHost(environment: NodeJS.ProcessEnv): string {
  const host = environment["HOST"] ?? "";
  if (["", "0.0.0.0", "::", "localhost"].includes(host)) return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** @throws UsageError with every port that another program uses, and its variable */
export async function assertPortsFree({ ports, environment }: StackSettings): Promise<void> {
  const taken: string[] = [];
  for (const { name, port, isEdge } of SERVICES) {
    const host = isEdge ? environment["HOST"] || "127.0.0.1" : "127.0.0.1";
    if (await isPortFree(ports[name] as number, host)) continue;
    taken.push(
      `Port ${ports[name]} of ${name} is in use by another program. Stop that program, or set ${port.variable}.`,
    );
  }
  if (taken.length > 0) throw new UsageError(taken.join("\n"));
}
