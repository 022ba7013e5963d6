import {
  chooseSources,
  type Part,
  REPOSITORY_ROOT,
  type RestartableServer,
  type RunFolder,
  type ServerOptions,
  startRestartableServer,
  testProvidersFor,
} from "@gatehouse/local-stack";
import { join } from "node:path";

/**
 * Servers of one run's own, as programs of this machine: a process can be killed at any moment, and its files are where we put them.
 * They keep what they acknowledged, as in production. Removing the run ends them.
 * @param options.setups how a server is set up beyond its folder; what it refers to is read at each start
 */
export async function startRunServers<P extends Part>(
  run: RunFolder,
  parts: readonly P[],
  options: {
    readonly note: (line: string) => void;
    readonly setups?: Partial<Record<P, Pick<ServerOptions, "nats" | "password">>>;
  },
): Promise<Record<P, RestartableServer>> {
  const { note, setups } = options;
  const surroundings = { environment: process.env, cacheFolder: join(REPOSITORY_ROOT, ".cache"), note };
  const sources = await chooseSources(parts, (part) => testProvidersFor(part, "local", surroundings), note);
  const started = parts.map(async (part) => {
    const own = { folder: join(run.path, part), durable: true, records: run.records, ...setups?.[part] };
    return [part, await startRestartableServer(part, sources[part], own)] as const;
  });
  return Object.fromEntries(await Promise.all(started)) as Record<P, RestartableServer>;
}
