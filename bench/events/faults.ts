import { newId } from "@gatehouse/contracts";
import type { RestartableServer } from "@gatehouse/local-stack";
import type { Bus } from "@gatehouse/messaging";
import type { Random } from "@gatehouse/test-kit/run";
import { connectDatabase, queryOnce } from "@gatehouse/test-kit/system";
import { headers } from "@nats-io/nats-core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export function startProjection(environment: { DATABASE_URL: string; NATS_URL: string }) {
  const launch = () =>
    spawn(process.execPath, [fileURLToPath(new URL("projection.ts", import.meta.url))], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit"],
    });
  let child = launch();
  const end = async (signal: NodeJS.Signals) => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill(signal);
    await ended;
  };
  return {
    /** Kills it and starts another. */
    async crash() {
      await end("SIGKILL");
      child = launch();
    },
    stop: () => end("SIGTERM"),
    /** `running`, or how it ended. */
    state: () => child.signalCode ?? child.exitCode?.toString() ?? "running",
  };
}

interface Targets {
  readonly nats: RestartableServer;
  readonly bus: Bus;
  readonly projection: ReturnType<typeof startProjection>;
  /** Another database than the bench's, so that the cut does not hit its own connection. */
  readonly superuserUrl: string;
  readonly databaseUrl: string;
}

const REPEATED = 200;

const FAULTS: Readonly<Record<string, (targets: Targets, random: Random) => Promise<unknown>>> = {
  async "NATS killed"({ nats }, random) {
    await nats.kill();
    await pause(random.integer(0, 1_000));
    await nats.start();
  },
  "database connections cut": ({ superuserUrl }) =>
    queryOnce(superuserUrl, "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'bench'"),
  "consumer killed": ({ projection }) => projection.crash(),
  /** With new message ids, so that JetStream does not recognize them. */
  async "events repeated"({ bus, databaseUrl }) {
    const connection = bus.connection();
    if (connection === undefined) return;
    await using client = await connectDatabase(databaseUrl);
    const { rows } = await client.query<{ subject: string; payload: string }>(
      `select subject, payload::text from outbox tablesample system (5) where published_at is not null limit ${REPEATED}`,
    );
    for (const { subject, payload } of rows) {
      const extra = headers();
      extra.set("Nats-Msg-Id", newId());
      connection.publish(subject, payload, { headers: extra });
    }
    await connection.flush();
  },
};

/** Runs a fault every two seconds or so, until `signal`. Returns how often each ran. */
export async function breakThings(
  targets: Targets,
  random: Random,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const names = Object.keys(FAULTS);
  const counts: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  for (;;) {
    await pause(random.integer(1_000, 3_000), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return counts;
    const name = random.pick(names);
    await FAULTS[name]?.(targets, random);
    counts[name] = (counts[name] ?? 0) + 1;
  }
}
