import {
  chooseSources,
  createRunFolder,
  type Part,
  REPOSITORY_ROOT,
  type RestartableServer,
  type ServerOptions,
  startRestartableServer,
  sweepDeadRuns,
  testProvidersFor,
} from "@gatehouse/local-stack";
import { join } from "node:path";
import pg from "pg";
import { note } from "../run/progress.ts";

export interface ServersOptions<P extends Part> {
  /** Settings of a server beyond its folder. It reads them at each start. */
  readonly setups?: Partial<Record<P, Pick<ServerOptions, "nats" | "password">>>;
  /** Runs before the servers start; each has a folder of its name below `folder`. */
  readonly prepare?: (folder: string, releases: AsyncDisposableStack) => Promise<unknown>;
}

/**
 * Starts servers as programs of this machine, so that a process can be killed at any moment.
 * They keep what they acknowledged, as in production. Disposing them ends them and removes their data.
 */
export async function startServers<P extends Part>(parts: readonly P[], { setups, prepare }: ServersOptions<P> = {}) {
  await sweepDeadRuns();
  await using releases = new AsyncDisposableStack();
  const run = createRunFolder();
  releases.defer(() => run.remove());
  await prepare?.(run.path, releases);
  const options = { environment: process.env, cacheFolder: join(REPOSITORY_ROOT, ".cache"), note };
  const sources = await chooseSources(parts, (part) => testProvidersFor(part, "local", options), note);
  const started = parts.map(async (part) => {
    const own = { folder: join(run.path, part), durable: true, records: run.records, ...setups?.[part] };
    const server = await startRestartableServer(part, sources[part], own);
    releases.defer(() => server.stop());
    return [part, server] as const;
  });
  const servers = Object.fromEntries(await Promise.all(started)) as Record<P, RestartableServer>;
  const kept = releases.move();
  return { servers, run, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Connects to a database. A lost connection fails the next query instead of ending the process. */
export async function connectDatabase(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Runs one statement on a connection of its own. */
export async function queryOnce<T>(url: string, statement: string, values: unknown[] = []): Promise<T[]> {
  await using client = await connectDatabase(url);
  return (await client.query(statement, values)).rows as T[];
}
