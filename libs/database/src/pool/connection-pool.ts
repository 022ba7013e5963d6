import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import { translateTransientError } from "../database-error.ts";
import { observePool } from "../telemetry/pool-telemetry.ts";
import { serverAttributes } from "../telemetry/server-attributes.ts";
import { createStatementObserver } from "../telemetry/statements.ts";
import { destroySocket } from "./client-socket.ts";
import { columnTypes } from "./column-types.ts";
import { createLeases } from "./leases.ts";
import { type ClientState, ping, probe, readWhatHasArrived } from "./liveness.ts";
import type { PoolStats } from "./pool-stats.ts";
import { createServerWatch } from "./server-watch.ts";
import { createSlots, type SlotAttempt } from "./slots.ts";

const CONNECT_MS = 1_500;
const PING_AFTER_IDLE_MS = 1_000;
/** Under load a connection goes from hand to hand without resting, and costs no look at its socket. */
const LOOK_AFTER_IDLE_MS = 1;
const OVERFLOW_IDLE_MS = 10_000;
/** Over the roles' statement_timeout, which is what should end a statement: this is for a connection of which nothing is heard. */
const ANSWER_LIMIT_MS = 40_000;
const CLOSE_MS = 1_000;

export interface ConnectionPoolOptions {
  readonly url: string;
  /** Connections that stay open when idle. */
  readonly poolSize: number;
  /** Connections beyond those, closed when idle. */
  readonly maxOverflow: number;
  /** How long a query waits for a connection to become free. */
  readonly timeoutSeconds: number;
  /** Connections older than that are replaced. */
  readonly recycleSeconds: number;
  /** As pg_stat_activity shows it, and the pool's name in metrics. */
  readonly applicationName: string;
  /** Where the role's search_path leads: traces and metrics name tables by it. */
  readonly schema?: string;
  readonly onLost?: (error: Error) => void;
}

export interface ConnectionPool extends PostgresPool {
  /** As `connect`, with a wait of its own. */
  checkOut(waitMilliseconds: number): Promise<PostgresPoolClient>;
  stats(): PoolStats;
}

/**
 * pg's pool, with what it does not do: waiting and connecting have limits of their own, a connection that died while idle
 * is noticed and replaced, and a server that is gone without a word fails everything within two seconds.
 */
// oxlint-disable-next-line max-lines-per-function -- its parts share the state of one pool
export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const max = options.poolSize + options.maxOverflow;
  const connection = { connectionString: options.url, application_name: options.applicationName, types: columnTypes };
  const pool = new pg.Pool({
    ...connection,
    min: options.poolSize,
    max,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: OVERFLOW_IDLE_MS,
    maxLifetimeSeconds: options.recycleSeconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const server = serverAttributes(options.url, options.schema);
  const stats = (): PoolStats => ({ total: pool.totalCount, idle: pool.idleCount, waiting: slots.waiting, max });
  const telemetry = observePool(options.applicationName, server, stats);
  const slots = createSlots(max, () => telemetry.timedOut());
  const watch = createServerWatch({ probe: () => probe(connection), limitMilliseconds: ANSWER_LIMIT_MS });
  const leaseOf = createLeases({ watch, observe: createStatementObserver(server, options.schema), release });
  const idleSince = new WeakMap<pg.PoolClient, number>();
  const open = new Set<pg.PoolClient>();
  const lost = new WeakSet<pg.PoolClient>();

  pool.on("error", (error) => options.onLost?.(error));
  pool.on("connect", (client) => {
    open.add(client);
    // A client in use that loses its connection says so to its query; without a listener it would end the process, too.
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
      // Silence is the network's, and so every idle connection's.
      if (answer === "silent") while (pool.idleCount > 0) discard(await pool.connect());
    }
  }

  async function stateAfterIdling(client: pg.PoolClient): Promise<ClientState> {
    const since = idleSince.get(client);
    const idle = since === undefined ? 0 : performance.now() - since;
    if (idle >= PING_AFTER_IDLE_MS) return await ping(client);
    if (idle >= LOOK_AFTER_IDLE_MS) await readWhatHasArrived();
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

  async function take(waitMilliseconds: number, attempt: SlotAttempt): Promise<PostgresPoolClient> {
    await slots.take(waitMilliseconds, attempt);
    try {
      return leaseOf(await takeLiveClient());
    } catch (error) {
      slots.give();
      throw translateTransientError(error) ?? error;
    }
  }

  function checkOut(waitMilliseconds: number): Promise<PostgresPoolClient> {
    return telemetry.observeTaking(() => guardedTake(waitMilliseconds));
  }

  function guardedTake(waitMilliseconds: number): Promise<PostgresPoolClient> {
    const attempt: SlotAttempt = {};
    const taking = take(waitMilliseconds, attempt);
    return watch.guard(taking, (reason) => {
      if (attempt.cancel) attempt.cancel(reason);
      // Comes too late for the caller, who was told already.
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
    connect: () => checkOut(options.timeoutSeconds * 1_000),
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
