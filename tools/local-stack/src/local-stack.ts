import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import type { PidRecords } from "./process/pid-records.ts";
import { isPortFree } from "./process/ports.ts";
import { chooseSource, NoProviderError, PART_NAMES, providersFor } from "./providers/providers.ts";
import { databaseUrl, REPOSITORY_ROOT } from "./repository.ts";
import { removeDockerVolume } from "./servers/docker.ts";
import { startServer } from "./servers/server.ts";
import type { Part, RunningServer, Source } from "./servers/types.ts";

export interface StackOptions {
  /** The servers' data, and `ports.json` with their ports. */
  readonly dir: string;
  /** DATABASE_URL, POSTGRES_*, NATS_*, REDIS_*: where each part is, or how to set up a local one. */
  readonly environment: NodeJS.ProcessEnv;
  /** The owner's password in a local PostgreSQL. */
  readonly ownerPassword: string;
  /** Whether to remove data in Docker volumes, which lie outside `dir`, first. */
  readonly fresh?: boolean;
  readonly log: (line: string) => void;
  readonly records?: PidRecords;
  readonly signal?: AbortSignal;
  /** Called for each server as soon as it runs, so that an interrupted start can stop it. */
  readonly onStarted: (part: Part, server: RunningServer) => void;
}

export interface LocalStack {
  /** The owner's URL; its database may not exist yet. */
  postgres(): Promise<string>;
  nats(): Promise<string>;
  /** Null when no provider has Redis; a warning is logged then. */
  redis(): Promise<string | null>;
}

/** Starts PostgreSQL, NATS and Redis in parallel, unless a URL names them. Each part can be awaited by itself. */
export function startLocalStack(options: StackOptions): LocalStack {
  const postgres = startPart("postgres", options).then(({ server, source }) => ownerUrlOf(server, source, options));
  const nats = startPart("nats", options).then(({ server }) => server.url);
  const redis = startPart("redis", options).then(
    ({ server }) => server.url,
    (error: unknown) => {
      if (!(error instanceof NoProviderError)) throw error;
      options.log(`warning: ${error.message}\nContinuing without Redis: rate limits are counted in memory.`);
      return null;
    },
  );
  // The caller awaits each later; until then a failure must not count as unhandled.
  for (const part of [postgres, nats, redis]) part.catch(() => undefined);
  return { postgres: () => postgres, nats: () => nats, redis: () => redis };
}

const PORT_VARIABLES: Record<Part, string> = { postgres: "POSTGRES_PORT", nats: "NATS_PORT", redis: "REDIS_PORT" };

async function startPart(part: Part, options: StackOptions): Promise<{ server: RunningServer; source: Source }> {
  const { dir, environment, log, signal, records } = options;
  const cacheFolder = join(REPOSITORY_ROOT, ".cache");
  const source = await chooseSource(part, providersFor(part, { environment, cacheFolder, note: log, signal }), log);
  signal?.throwIfAborted();
  const folder = join(dir, part);
  if (source.kind === "docker" && options.fresh) await removeDockerVolume(part, folder);
  const password = part === "redis" ? environment["REDIS_PASSWORD"] || undefined : undefined;
  const fixed = environment[PORT_VARIABLES[part]];
  const port = fixed ? Number(fixed) : await keptPort(dir, part);
  const server = await startServer(part, source, { folder, durable: true, port, password, records, signal });
  options.onStarted(part, server);
  if (source.kind !== "url") keepPort(dir, part, server.port);
  log(`${PART_NAMES[part]}: ${source.label}${source.kind === "url" ? "" : `, on port ${server.port}`}`);
  return { server, source };
}

/** Returns the port of the last start in this folder; undefined when there is none or another program uses it. */
async function keptPort(dir: string, part: Part): Promise<number | undefined> {
  const port = readPorts(dir)[part];
  return port !== undefined && (await isPortFree(port)) ? port : undefined;
}

/** Synchronous, because the parts start in parallel and share the file. */
function keepPort(dir: string, part: Part, port: number): void {
  writeFileSync(join(dir, "ports.json"), `${JSON.stringify({ ...readPorts(dir), [part]: port })}\n`);
}

function readPorts(dir: string): Partial<Record<Part, number>> {
  try {
    return JSON.parse(readFileSync(join(dir, "ports.json"), "utf8")) as Partial<Record<Part, number>>;
  } catch {
    return {};
  }
}

async function ownerUrlOf(server: RunningServer, source: Source, options: StackOptions): Promise<string> {
  if (source.kind === "url") return server.url;
  const role = options.environment["POSTGRES_USER"] || "postgres";
  const password = options.ownerPassword;
  await ensureOwner(server.url, role, password);
  return databaseUrl(server.url, options.environment["POSTGRES_DB"] || "gatehouse", { role, password });
}

async function ensureOwner(superuserUrl: string, role: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role]);
    const verb = rowCount === 0 ? "create" : "alter";
    const [name, secret] = [client.escapeIdentifier(role), client.escapeLiteral(password)];
    await client.query(`${verb} role ${name} login superuser password ${secret}`);
  } finally {
    await client.end();
  }
}
