import { createRunFolder, type RestartableServer, type RunFolder, sweepDeadRuns } from "@gatehouse/local-stack";
import { startRunServers } from "@gatehouse/test-kit/system";
export interface BenchServers {
  readonly postgres: RestartableServer;
  readonly nats: RestartableServer;
  readonly records: RunFolder["records"];
  /** Ends both, and whatever was started with the records; removes their data. */
  stop(): Promise<void>;
}

/** PostgreSQL and NATS of this run's own: nothing is made quicker than it would be in production. */
export async function startServers(): Promise<BenchServers> {
  await sweepDeadRuns();
  const run = createRunFolder();
  try {
    const { postgres, nats } = await startRunServers(run, ["postgres", "nats"], {
      note: (line) => console.error(line),
    });
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
