import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import { translateTransientError } from "../database-error.ts";
import { observePool } from "../telemetry/pool-telemetry.ts";
import { serverAttributes } from "../telemetry/server-attributes.ts";
import { createStatementObserver } from "../telemetry/statements.ts";
import { columnTypes } from "./column-types.ts";
import { createLeases } from "./leases.ts";
import { type ClientState, destroySocket, ping, probe, readWhatHasArrived } from "./liveness.ts";
import type { PoolStats } from "./slots.ts";
import { createServerWatch } from "./server-watch.ts";
import { createSlots, type SlotAttempt } from "./slots.ts";

const CONNECT_MS = 1_500;
const PING_AFTER_IDLE_MS = 1_000;
/** Under load connections are reused without idling, and their sockets need no check. */
const CHECK_AFTER_IDLE_MS = 1;
const OVERFLOW_IDLE_MS = 10_000;
/** Longer than the roles' statement_timeout: it ends statements on connections that no longer answer. */
const ANSWER_LIMIT_MS = 40_000;
const CLOSE_MS = 1_000;

export interface ConnectionPoolDeps {
  readonly url: string;
  /** Connections that stay open when idle. */
  readonly poolSize: number;
  /** Further connections, closed when idle. */
  readonly maxOverflow: number;
  /** How long a query waits for a connection to become free. */
  readonly timeoutSeconds: number;
  /** Older connections are replaced. */
  readonly recycleSeconds: number;
  /** The name in pg_stat_activity, and the pool's name in metrics. */
  readonly applicationName: string;
  /** The schema of the role's search_path; traces and metrics prefix tables with it. */
  readonly schema?: string;
  readonly onLost?: (error: Error) => void;
}

export interface ConnectionPool extends PostgresPool {
  /** Connects like `connect`, with its own maximum wait. */
  checkOut(waitMs: number): Promise<PostgresPoolClient>;
  stats(): PoolStats;
}

/**
 * Returns pg's pool with three additions: separate limits for waiting and connecting, replacement of connections that died while
 * idle, and failure of every statement within two seconds when the server stops answering.
 */
// oxlint-disable-next-line max-lines-per-function -- its parts share the state of one pool
export function createConnectionPool(deps: ConnectionPoolDeps): ConnectionPool {
  const max = deps.poolSize + deps.maxOverflow;
  const connection = { connectionString: deps.url, application_name: deps.applicationName, types: columnTypes };
  const pool = new pg.Pool({
    ...connection,
    min: deps.poolSize,
    max,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: OVERFLOW_IDLE_MS,
    maxLifetimeSeconds: deps.recycleSeconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const server = serverAttributes(deps.url, deps.schema);
  const stats = (): PoolStats => ({ total: pool.totalCount, idle: pool.idleCount, waiting: slots.waiting, max });
  const telemetry = observePool(deps.applicationName, server, stats);
  const slots = createSlots({ max, onTimeout: () => telemetry.timedOut() });
  const watch = createServerWatch({ probe: () => probe(connection), limitMs: ANSWER_LIMIT_MS });
  const leaseOf = createLeases({ watch, observe: createStatementObserver(server, deps.schema), release });
  const idleSince = new WeakMap<pg.PoolClient, number>();
  const open = new Set<pg.PoolClient>();
  const lost = new WeakSet<pg.PoolClient>();

  pool.on("error", (error) => deps.onLost?.(error));
  pool.on("connect", (client) => {
    open.add(client);
    // The running query reports a lost connection. Without a listener the event would end the process.
    client.on("error", () => lost.add(client));
    client.on("end", () => lost.add(client));
  });
  pool.on("remove", (client) => open.delete(client));

  async function takeLiveClient(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await pool.connect();
      const answer = await stateAfterIdling(client);
      if (answer === "alive") return client;
      discard(client);
      // A silent connection indicates a network fault, which affects every idle connection.
      if (answer === "silent") while (pool.idleCount > 0) discard(await pool.connect());
    }
  }

  async function stateAfterIdling(client: pg.PoolClient): Promise<ClientState> {
    const since = idleSince.get(client);
    const idle = since === undefined ? 0 : performance.now() - since;
    if (idle >= PING_AFTER_IDLE_MS) return await ping(client);
    if (idle >= CHECK_AFTER_IDLE_MS) await readWhatHasArrived();
    return lost.has(client) ? "dead" : "alive";
  }

  function discard(client: pg.PoolClient): void {
    client.release(true);
    destroySocket(client);
  }

  function release(client: pg.PoolClient, destroy?: boolean): void {
    idleSince.set(client, performance.now());
    client.release(destroy);
    slots.give();
  }

  async function take(waitMs: number, attempt: SlotAttempt): Promise<PostgresPoolClient> {
    await slots.take(waitMs, attempt);
    try {
      return leaseOf(await takeLiveClient());
    } catch (error) {
      slots.give();
      throw translateTransientError(error) ?? error;
    }
  }

  function checkOut(waitMs: number): Promise<PostgresPoolClient> {
    return telemetry.observeTaking(() => guardedTake(waitMs));
  }

  function guardedTake(waitMs: number): Promise<PostgresPoolClient> {
    const attempt: SlotAttempt = {};
    const taking = take(waitMs, attempt);
    return watch.guard(taking, (reason) => {
      if (attempt.cancel) attempt.cancel(reason);
      // The caller has already failed.
      else
        taking.then(
          (lease) => lease.release(),
          () => {},
        );
    });
  }

  async function end(): Promise<void> {
    await pool.end();
    watch.close();
    telemetry.close();
    await Promise.race([allClosed(pool, open), new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]);
    for (const client of open) destroySocket(client);
  }

  let ending: Promise<void> | undefined;
  return {
    Client: pg.Client,
    options: pool.options,
    checkOut,
    connect: () => checkOut(deps.timeoutSeconds * 1_000),
    end: () => (ending ??= end()),
    stats,
  };
}

function allClosed(pool: pg.Pool, open: ReadonlySet<pg.PoolClient>): Promise<void> {
  return new Promise((resolve) => {
    const look = () => open.size === 0 && resolve();
    pool.on("remove", look);
    look();
  });
}
