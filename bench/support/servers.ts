import {
  chooseSources,
  createRunFolder,
  REPOSITORY_ROOT,
  type RestartableServer,
  type RunFolder,
  startRestartableServer,
  sweepDeadRuns,
  testProvidersFor,
} from "@gatehouse/testing/stack";
import { join } from "node:path";

type Part = "postgres" | "nats";

export interface BenchServers {
  readonly postgres: RestartableServer;
  readonly nats: RestartableServer;
  readonly records: RunFolder["records"];
  /** Ends both, and whatever was started with the records; removes their data. */
  stop(): Promise<void>;
}

/**
 * PostgreSQL and NATS of this run's own, as processes on this machine that keep what they acknowledged, as in production:
 * nothing is made quicker than it would be there.
 */
export async function startServers(): Promise<BenchServers> {
  await sweepDeadRuns();
  const run = createRunFolder();
  const note = (line: string) => console.error(line);
  const options = { environment: process.env, cacheFolder: join(REPOSITORY_ROOT, ".cache"), note };
  try {
    const sources = await chooseSources(["postgres", "nats"], (part) => testProvidersFor(part, "local", options), note);
    const start = (part: Part) =>
      startRestartableServer(part, sources[part], {
        folder: join(run.path, part),
        durable: true,
        records: run.records,
      });
    const [postgres, nats] = await Promise.all([start("postgres"), start("nats")]);
    return {
      postgres,
      nats,
      records: run.records,
      async stop() {
        await Promise.all([postgres.stop(), nats.stop()]);
        await run.remove();
      },
    };
  } catch (error) {
    await run.remove();
    throw error;
  }
}
