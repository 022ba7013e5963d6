import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { backoffMs, pause } from "./backoff.ts";
import { busAddress } from "./bus-address.ts";
import { createRefusalLog, explainFailure } from "./bus-refusals.ts";

export interface BusDeps {
  /** `nats://` or `tls://`, with user and password or a token where the server requires them; comma-separated for several. */
  readonly url: string;
  /** The name in the server's list of connections. */
  readonly name: string;
  readonly logger: Logger;
}

/**
 * The connection to the NATS server. A broken connection is replaced by a new object, so its requests fail at once, its
 * subscriptions end, and nothing is buffered to be sent later. Until it is closed it keeps its process alive, also without a server.
 */
export interface Bus {
  /** Returns the current connection; undefined while there is none. */
  connection(): NatsConnection | undefined;
  isConnected(): boolean;
  /** Calls `listener` with each new connection, and at once when there is one. Returns a function that unsubscribes. */
  onConnected(listener: (connection: NatsConnection) => void): () => void;
  /** Sends what is buffered, closes, and stops reconnecting. */
  close(): Promise<void>;
}

// Short enough that an attempt made just before an outage ends does not prolong it by much.
const CONNECT_TIMEOUT_MS = 1_500;
const RECONNECT = { firstMs: 100, maxMs: 500 };
// Detects a server that vanished without closing its sockets after three pings, not after the library's minutes.
const PING_INTERVAL_MS = 2_000;
const PINGS_UNANSWERED = 2;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Opens one connection that does not reconnect, for commands that fail instead of waiting.
 * @throws when no server answers at `url` or the server rejects the login
 */
export async function openConnection({ url, name }: Pick<BusDeps, "url" | "name">): Promise<NatsConnection> {
  return await connect({
    ...busAddress(url),
    name,
    reconnect: false,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_UNANSWERED,
    noAsyncTraces: true,
  });
}

/** Returns at once; connects in the background and reconnects until it is closed. */
export function connectBus({ url, name, logger }: BusDeps): Bus {
  const listeners = createListeners(logger);
  const stopped = new AbortController();
  const watchRefusals = createRefusalLog(logger);
  const failures = createFailureReports(logger, stopped.signal);
  let current: NatsConnection | undefined;
  const finished = keepConnected();

  async function keepConnected(): Promise<void> {
    for (let attempts = 0; !stopped.signal.aborted;) {
      const connection = await openConnection({ url, name }).catch(failures.report);
      if (connection === undefined) {
        await rest(backoffMs(RECONNECT, attempts));
        attempts += 1;
        continue;
      }
      attempts = 0;
      failures.reset();
      await use(connection);
      if (!stopped.signal.aborted) await rest(RECONNECT.firstMs);
    }
  }

  /** Keeps the process alive: a process that only consumes would otherwise exit with 0 while there is no server. */
  function rest(ms: number): Promise<void> {
    return pause(ms, stopped.signal, { keepAlive: true });
  }

  async function use(connection: NatsConnection): Promise<void> {
    if (stopped.signal.aborted) return closeQuietly(connection);
    current = connection;
    logger.info({ server: connection.getServer() }, "connected to NATS");
    void watchRefusals(connection);
    listeners.notifyAll(connection);
    const error = await connection.closed();
    current = undefined;
    if (!stopped.signal.aborted) logger.warn({ ...(error && { err: error }) }, "lost NATS, reconnecting");
  }

  function usable(): NatsConnection | undefined {
    return current === undefined || current.isClosed() ? undefined : current;
  }

  return {
    connection: usable,
    isConnected: () => usable() !== undefined,
    onConnected(listener) {
      const unsubscribe = listeners.add(listener);
      const connection = usable();
      if (connection) listeners.notify(listener, connection);
      return unsubscribe;
    },
    async close() {
      listeners.clear();
      stopped.abort();
      if (current) await closeQuietly(current);
      await finished;
    },
  };
}

type Listener = (connection: NatsConnection) => void;

function createListeners(logger: Logger) {
  const listeners = new Set<Listener>();

  function notify(listener: Listener, connection: NatsConnection): void {
    try {
      listener(connection);
    } catch (error) {
      logger.error({ err: error }, "connection listener failed");
    }
  }

  return {
    add(listener: Listener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    notify,
    notifyAll(connection: NatsConnection): void {
      for (const listener of Array.from(listeners)) notify(listener, connection);
    },
    clear: () => listeners.clear(),
  };
}

/** Logs a failure once, and again when its reason changes: a server that starts may then reject the login. */
function createFailureReports(logger: Logger, stopped: AbortSignal) {
  let last: string | undefined;
  return {
    report(error: unknown): undefined {
      const { level, message } = explainFailure(error);
      if (message !== last && !stopped.aborted) logger[level]({ err: error }, message);
      last = message;
    },
    reset: () => void (last = undefined),
  };
}

/** Flushes while the server still answers, then closes in any case. */
async function closeQuietly(connection: NatsConnection): Promise<void> {
  const limit = new AbortController();
  const flushed = connection.isClosed() ? Promise.resolve() : connection.flush().catch(() => undefined);
  await Promise.race([flushed, pause(CLOSE_TIMEOUT_MS, limit.signal)]);
  limit.abort();
  await connection.close().catch(() => undefined);
}
