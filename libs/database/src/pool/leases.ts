import type { PostgresPoolClient } from "kysely";
import pg from "pg";
import type { ObserveStatement } from "../telemetry/statements.ts";
import { destroySocket } from "./liveness.ts";
import type { ServerWatch } from "./server-watch.ts";

export interface LeasesDeps {
  readonly watch: ServerWatch;
  readonly observe: ObserveStatement;
  readonly release: (client: pg.PoolClient, destroy?: boolean) => void;
}

/**
 * Returns a function that wraps clients for kysely, so that their statements are watched and observed. The same client always has the
 * same wrapper, by which kysely recognizes it.
 */
export function createLeases({ watch, observe, release }: LeasesDeps): (client: pg.PoolClient) => PostgresPoolClient {
  const leases = new WeakMap<pg.PoolClient, PostgresPoolClient>();

  async function answer(client: pg.PoolClient, text: string, parameters: readonly unknown[]): Promise<pg.QueryResult> {
    try {
      const running = client.query(text, parameters as unknown[]);
      const result = await watch.guard(running, (reason) => destroySocket(client, reason));
      watch.sawAnswer();
      return result;
    } catch (error) {
      if (error instanceof pg.DatabaseError) watch.sawAnswer();
      throw error;
    }
  }

  return (client) => {
    const known = leases.get(client);
    if (known) return known;
    const lease = {
      processID: (client as unknown as { processID?: number }).processID,
      query: (text: string, parameters: readonly unknown[]) => observe(text, () => answer(client, text, parameters)),
      release: (destroy?: boolean) => release(client, destroy),
    } as unknown as PostgresPoolClient;
    leases.set(client, lease);
    return lease;
  };
}
