import { runOutsideContext } from "@gatehouse/observability";
import { Kysely, type LogEvent, PostgresDialect } from "kysely";
import { type ConnectionPoolDeps, createConnectionPool } from "./pool/connection-pool.ts";
import type { PoolStats } from "./pool/slots.ts";

/** The used part of a logger, such as pino's. */
export interface DatabaseLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Defaults of the pool. */
const POOL_DEFAULTS = { poolSize: 10, maxOverflow: 20, timeoutSeconds: 30, recycleSeconds: 3600 };

type PoolDeps = Omit<ConnectionPoolDeps, "onLost">;

export interface DatabaseDeps
  extends Omit<PoolDeps, keyof typeof POOL_DEFAULTS>, Partial<Pick<PoolDeps, keyof typeof POOL_DEFAULTS>> {
  readonly logger?: DatabaseLogger;
  /** Logs every statement at debug, without its parameters. */
  readonly echo?: boolean;
}

export interface Database<T> {
  readonly db: Kysely<T>;
  /** @throws AppError ServiceUnavailable or the driver's error, within two seconds when the database does not answer */
  ping(): Promise<void>;
  stats(): PoolStats;
  /** Waits for running statements, then closes. */
  close(): Promise<void>;
}

const PING_WAIT_MS = 1_000;

/**
 * Returns a service's connections to its schema. The first statement connects; a database that is down fails statements, not the
 * process.
 */
export function createDatabase<T>(deps: DatabaseDeps): Database<T> {
  const { logger, echo = false } = deps;
  const pool = createConnectionPool({
    ...POOL_DEFAULTS,
    ...deps,
    // The loss is unrelated to the request that opened the connection.
    onLost: (error) => runOutsideContext(() => logger?.warn({ err: error }, "lost an idle database connection")),
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
