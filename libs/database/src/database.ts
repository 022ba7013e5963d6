import { runOutsideContext } from "@gatehouse/observability";
import { Kysely, type LogEvent, PostgresDialect } from "kysely";
import { type ConnectionPoolOptions, createConnectionPool } from "./pool/connection-pool.ts";
import type { PoolStats } from "./pool/pool-stats.ts";

/** The part of a logger that is used here; pino's fits. */
export interface DatabaseLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** The pool of a service that says nothing of it: connections, and seconds. */
const POOL_DEFAULTS = { poolSize: 10, maxOverflow: 20, timeoutSeconds: 30, recycleSeconds: 3600 };

type PoolOptions = Omit<ConnectionPoolOptions, "onLost">;

export interface DatabaseOptions
  extends Omit<PoolOptions, keyof typeof POOL_DEFAULTS>, Partial<Pick<PoolOptions, keyof typeof POOL_DEFAULTS>> {
  readonly logger?: DatabaseLogger;
  /** Every statement to the log, at debug, without its parameters. */
  readonly echo?: boolean;
}

export interface Database<T> {
  readonly db: Kysely<T>;
  /** @throws AppError ServiceUnavailable, or the driver's error, within two seconds when the database does not answer */
  ping(): Promise<void>;
  stats(): PoolStats;
  /** Waits for the statements under way. */
  close(): Promise<void>;
}

const PING_WAIT_MS = 1_000;

/**
 * The connections of one service to its schema. Nothing is connected yet: the first statement does that, and a database that
 * is away fails statements, not the process.
 */
export function createDatabase<T>(options: DatabaseOptions): Database<T> {
  const { logger, echo = false } = options;
  const pool = createConnectionPool({
    ...POOL_DEFAULTS,
    ...options,
    // Of the request for which the connection was opened, once, it says nothing.
    onLost: (error) => runOutsideContext(() => logger?.warn({ err: error }, "an idle database connection was lost")),
  });
  const db = new Kysely<T>({
    dialect: new PostgresDialect({ pool }),
    ...(echo && logger && { log: (event) => echoStatement(logger, event) }),
  });
  return {
    db,
    async ping() {
      const client = await pool.checkOut(PING_WAIT_MS);
      try {
        await client.query("select 1", []);
      } finally {
        client.release();
      }
    },
    stats: () => pool.stats(),
    async close() {
      await db.destroy();
      await pool.end();
    },
  };
}

function echoStatement(logger: DatabaseLogger, event: LogEvent): void {
  const fields = { sql: event.query.sql, duration_ms: Math.round(event.queryDurationMillis * 100) / 100 };
  logger.debug(fields, event.level === "error" ? "statement failed" : "statement");
}
