import type { Part } from "../servers/running-server.ts";
import { type DebianOptions, type DebianProgram, obtainDebianProgram } from "./debian-program.ts";
import type { Look } from "./provider.ts";

/** PostgreSQL is missing on purpose: Debian 12 has 15, and newer systems that have 17 are served by npm's package as well. */
const SERVERS: Partial<Record<Part, DebianProgram>> = {
  nats: { packages: ["nats-server"], program: "usr/sbin/nats-server" },
  redis: { packages: ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"], program: "usr/bin/redis-server" },
};

/** Serves a part from Debian's package. */
export async function lookForDebianPackage(part: Part, options: DebianOptions): Promise<Look> {
  const server = SERVERS[part];
  if (server === undefined) return { reason: "Debian's package is not used for this part" };
  const found = await obtainDebianProgram(part, server, options);
  return "reason" in found ? found : { source: { kind: "program", ...found } };
}
