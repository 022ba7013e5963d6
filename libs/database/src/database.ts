import { Kysely, type LogEvent, PostgresDialect, sql, type Transaction } from "kysely";
import { createPool, type PoolOptions } from "./pool.ts";

/** A place to run a query: the pool, or the transaction that the caller is in. Repositories take it first. */
export type Handle<T> = Kysely<T> | Transaction<T>;

export interface DatabaseOptions extends PoolOptions {
  readonly logger?: { debug(values: object, message: string): void };
  /** Logs every statement at debug, without its parameters, which may be personal. */
  readonly echo?: boolean;
}

export interface PoolStatistics {
  readonly total: number;
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  readonly max: number;
}

export interface Database<T> {
  readonly db: Kysely<T>;
  /** Resolves when the server answers. */
  ping(): Promise<void>;
  stats(): PoolStatistics;
  close(): Promise<void>;
}

/** A database behind a pool. Connections are made when they are first needed. */
export function createDatabase<T>(options: DatabaseOptions): Database<T> {
  const pool = createPool(options);
  const db = new Kysely<T>({ dialect: new PostgresDialect({ pool }), log: echoTo(options) });
  return {
    db,
    async ping() {
      await sql`select`.execute(db);
    },
    stats: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      max: options.poolSize + options.maxOverflow,
    }),
    close: async () => {
      await db.destroy();
      if (!pool.ended) await pool.end();
    },
  };
}

function echoTo({ logger, echo }: DatabaseOptions) {
  if (!logger || !echo) return [];
  return (event: LogEvent) => {
    const { query, queryDurationMillis } = event;
    logger.debug({ sql: query.sql, duration_ms: Math.round(queryDurationMillis * 100) / 100 }, "statement");
  };
}
