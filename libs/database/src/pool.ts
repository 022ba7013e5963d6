import pg from "pg";

/** How a pool behaves; all times in seconds. */
export interface PoolOptions {
  readonly url: string;
  /** Connections that stay open. */
  readonly poolSize: number;
  /** Connections beyond `poolSize` under load; they close when idle. */
  readonly maxOverflow: number;
  /** How long one waits for a free connection. */
  readonly timeoutSeconds: number;
  /** The age at which a connection is replaced. */
  readonly recycleSeconds: number;
  readonly applicationName: string;
}

const CONNECT_TIMEOUT_MS = 1_500;
/** A connection that was idle longer is asked whether it still lives. Younger ones cost no round trip. */
const TRUSTED_IDLE_MS = 1_000;
const PING_TIMEOUT_MS = 1_000;
const OVERFLOW_IDLE_MS = 10_000;
/** No statement of ours is long; one that is stops holding locks, and one that gets no answer stops being waited for. */
const STATEMENT_TIMEOUT_MS = 15_000;
const ANSWER_TIMEOUT_MS = 20_000;

const INT8 = 20;
/** Counts and sums of ours stay below 2^53, so bigint reads as number. */
const types = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as "text")) as typeof pg.types.getTypeParser,
};

/** pg's pool uses one timeout for waiting and for connecting; a server that is away must not take as long as a full pool. */
class QuicklyConnectingClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  }
}

export type Pool = pg.Pool;

/** A pool whose `connect` never hands out a connection that died while it was idle. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    min: options.poolSize,
    max: options.poolSize + options.maxOverflow,
    idleTimeoutMillis: OVERFLOW_IDLE_MS,
    connectionTimeoutMillis: options.timeoutSeconds * 1_000,
    maxLifetimeSeconds: options.recycleSeconds,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    idle_in_transaction_session_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    types,
    Client: QuicklyConnectingClient,
  });
  // An idle connection that breaks is removed by the pool itself; without a listener it would end the process.
  pool.on("error", () => undefined);
  return withLivenessCheck(pool);
}

function withLivenessCheck(pool: pg.Pool): pg.Pool {
  const idleSince = new WeakMap<pg.PoolClient, number>();
  pool.on("release", (_error, client) => idleSince.set(client, performance.now()));
  const connect = pool.connect.bind(pool);

  async function connectAlive(): Promise<pg.PoolClient> {
    // Ends: every dead connection is removed, and a new one is not asked.
    for (;;) {
      const client = await connect();
      const since = idleSince.get(client);
      if (since === undefined || performance.now() - since < TRUSTED_IDLE_MS || (await isAlive(client))) return client;
      client.release(true);
    }
  }

  return new Proxy(pool, {
    get: (target, property) => {
      if (property === "connect") return connectAlive;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function isAlive(client: pg.PoolClient): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, PING_TIMEOUT_MS, false);
  try {
    return await Promise.race([client.query("select").then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
