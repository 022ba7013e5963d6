import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { databaseUrl } from "./database-urls.ts";
import type { PidRecords } from "./process/pid-records.ts";
import { chooseSource, NoProviderError, PART_NAMES } from "./providers/provider.ts";
import { providersFor } from "./providers/providers.ts";
import { REPOSITORY_ROOT } from "./repository-root.ts";
import { removeDockerVolume } from "./servers/docker-server.ts";
import type { Part, RunningServer, Source } from "./servers/running-server.ts";
import { startServer } from "./servers/start-server.ts";

export interface StackOptions {
  /** Where the servers keep their data. */
  readonly dir: string;
  /** Says where each part is, and how a local one is to be set up: DATABASE_URL, POSTGRES_*, NATS_URL, REDIS_*. */
  readonly environment: NodeJS.ProcessEnv;
  /** The owner's password in a local PostgreSQL. */
  readonly ownerPassword: string;
  /** Whether data outside `dir`, in volumes of a Docker engine, are to be removed first. */
  readonly fresh?: boolean;
  readonly log: (line: string) => void;
  readonly records?: PidRecords;
  readonly signal?: AbortSignal;
  /** Told of each server as soon as it runs, so that whoever is interrupted can stop it. */
  readonly onStarted: (part: Part, server: RunningServer) => void;
}

export interface LocalStack {
  /** The owner's URL; its database may not be there yet. */
  postgres(): Promise<string>;
  nats(): Promise<string>;
  /** Null when nothing serves it; a warning has been logged. */
  redis(): Promise<string | null>;
}

/** Starts what is not there of PostgreSQL, NATS and Redis, all at the same time; each part can be awaited by itself. */
export function startLocalStack(options: StackOptions): LocalStack {
  const postgres = startPart("postgres", options).then(({ server, source }) => ownerUrlOf(server, source, options));
  const nats = startPart("nats", options).then(({ server }) => server.url);
  const redis = startPart("redis", options).then(
    ({ server }) => server.url,
    (error: unknown) => {
      if (!(error instanceof NoProviderError)) throw error;
      options.log(`warning: ${error.message}\nGoing on without Redis: rate limits count in memory.`);
      return null;
    },
  );
  // Each is awaited in its turn; until then a failure must not count as one that nobody handles.
  for (const part of [postgres, nats, redis]) part.catch(() => undefined);
  return { postgres: () => postgres, nats: () => nats, redis: () => redis };
}

async function startPart(part: Part, options: StackOptions): Promise<{ server: RunningServer; source: Source }> {
  const { environment, log, signal, records } = options;
  const cacheFolder = join(REPOSITORY_ROOT, ".cache");
  const source = await chooseSource(part, providersFor(part, { environment, cacheFolder, note: log, signal }), log);
  signal?.throwIfAborted();
  const folder = join(options.dir, part);
  if (source.kind === "docker" && options.fresh) await removeDockerVolume(part, folder);
  if (source.kind !== "url") await mkdir(folder, { recursive: true });
  const variable = PORT_VARIABLES[part];
  const port = variable === undefined ? undefined : environment[variable];
  const password = part === "redis" ? environment["REDIS_PASSWORD"] : undefined;
  const server = await startServer(part, source, {
    folder,
    durable: true,
    ...(port ? { port: Number(port) } : {}),
    ...(password ? { password } : {}),
    records,
    signal,
  });
  options.onStarted(part, server);
  log(`${PART_NAMES[part]}: ${source.label}${source.kind === "url" ? "" : `, on port ${server.port}`}`);
  return { server, source };
}

/** Where a local server is to listen; a free port is taken without. */
const PORT_VARIABLES: Partial<Record<Part, string>> = { postgres: "POSTGRES_PORT", redis: "REDIS_PORT" };

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
