import {
  chooseSources,
  createRunFolder,
  REPOSITORY_ROOT,
  type Source,
  startServer,
  sweepDeadRuns,
  testProvidersFor,
  testStackChoice,
} from "@gatehouse/local-stack";
import { join } from "node:path";
import { migrateTemplate } from "./template.ts";

/** Plain data, because test files run in other processes. */
export interface TestInfrastructure {
  readonly folder: string;
  /** The superuser's URL of the run's PostgreSQL. */
  readonly postgresUrl: string;
  readonly nats: Source;
  readonly redis: Source;
}

/** Starts PostgreSQL with the template database, and finds the sources of NATS and Redis. */
export async function startTestInfrastructure(
  environment: NodeJS.ProcessEnv,
): Promise<{ info: TestInfrastructure; stop(): Promise<void> }> {
  const note = (line: string) => console.log(`[tests] ${line}`);
  await sweepDeadRuns();
  const choice = testStackChoice(environment);
  const options = { environment, cacheFolder: join(REPOSITORY_ROOT, ".cache"), note };
  const sources = await chooseSources(
    ["postgres", "nats", "redis"],
    (part) => testProvidersFor(part, choice, options),
    note,
  );
  const run = createRunFolder();
  try {
    const postgres = await startServer("postgres", sources.postgres, {
      folder: join(run.path, "postgres"),
      durable: false,
      records: run.records,
    });
    await migrateTemplate(postgres.url);
    const info = { folder: run.path, postgresUrl: postgres.url, nats: sources.nats, redis: sources.redis };
    const stop = async () => {
      await postgres.stop();
      await run.remove();
    };
    return { info, stop };
  } catch (error) {
    await run.remove();
    throw error;
  }
}
