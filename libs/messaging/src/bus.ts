import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { busAddress } from "./bus-address.ts";
import { createRefusalLog, explainFailure } from "./bus-refusals.ts";
import { pause } from "./pause.ts";

export interface BusOptions {
  /** `nats://` or `tls://`, with user and password or token in it where the server wants them; several are comma-separated. */
  readonly url: string;
  /** What the server's connection list shows. */
  readonly name: string;
  readonly logger: Logger;
}

/**
 * The way to the NATS server. Each connection object lives until the connection breaks and is then replaced by another, so
 * nothing survives a break unnoticed: its requests fail at once, its subscriptions end, nothing is buffered to be sent later.
 * Until it is closed it keeps its process alive, whether there is a server or not.
 */
export interface Bus {
  /** The present connection; undefined while there is none. */
  connection(): NatsConnection | undefined;
  isConnected(): boolean;
  /** Calls `listener` with each new connection, and at once when there is one. @returns stops that */
  onConnected(listener: (connection: NatsConnection) => void): () => void;
  /** Sends what is buffered, closes, and stops reconnecting. */
  close(): Promise<void>;
}

// Short enough that an attempt made just before an outage ends does not prolong it by much.
const CONNECT_TIMEOUT_MS = 1_500;
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 500;
// A server that vanished without closing its sockets is noticed after three pings, not after the library's minutes.
const PING_INTERVAL_MS = 2_000;
const PINGS_UNANSWERED = 2;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * One connection, that is not made anew when it breaks: for work that rather fails than waits.
 * @throws when there is no server at `url`, or it lets us not in
 */
export async function openConnection({ url, name }: Pick<BusOptions, "url" | "name">): Promise<NatsConnection> {
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

/** Returns at once; connects in the background and reconnects for ever. */
export function connectBus({ url, name, logger }: BusOptions): Bus {
  const listeners = new Set<(connection: NatsConnection) => void>();
  const stopped = new AbortController();
  const watchRefusals = createRefusalLog(logger);
  let current: NatsConnection | undefined;
  let lastFailure: string | undefined;
  const finished = keepConnected();

  async function keepConnected(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted;) {
      const connection = await dial();
      if (connection === undefined) {
        await rest(Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** failures));
        failures += 1;
        continue;
      }
      failures = 0;
      lastFailure = undefined;
      await use(connection);
      if (!stopped.signal.aborted) await rest(RECONNECT_FIRST_MS);
    }
  }

  /** A consumer has nothing but its bus to live for; without a server it would end, and with success, as if it had been told to. */
  function rest(milliseconds: number): Promise<void> {
    return pause(milliseconds, stopped.signal, { keepAlive: true });
  }

  async function dial(): Promise<NatsConnection | undefined> {
    try {
      return await openConnection({ url, name });
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** Once, and again when it is something else: a server that comes up may turn out to refuse us. */
  function report(error: unknown): void {
    const { level, message } = explainFailure(error);
    if (message !== lastFailure && !stopped.signal.aborted) logger[level]({ err: error }, message);
    lastFailure = message;
  }

  async function use(connection: NatsConnection): Promise<void> {
    if (stopped.signal.aborted) return closeQuietly(connection);
    current = connection;
    logger.info({ server: connection.getServer() }, "connected to NATS");
    void watchRefusals(connection);
    for (const listener of Array.from(listeners)) notify(listener, connection);
    const error = await connection.closed();
    current = undefined;
    if (!stopped.signal.aborted) logger.warn({ ...(error && { err: error }) }, "lost NATS, reconnecting");
  }

  function notify(listener: (connection: NatsConnection) => void, connection: NatsConnection): void {
    try {
      listener(connection);
    } catch (error) {
      logger.error({ err: error }, "a listener for NATS connections failed");
    }
  }

  function usable(): NatsConnection | undefined {
    return current === undefined || current.isClosed() ? undefined : current;
  }

  return {
    connection: usable,
    isConnected: () => usable() !== undefined,
    onConnected(listener) {
      listeners.add(listener);
      const connection = usable();
      if (connection) notify(listener, connection);
      return () => void listeners.delete(listener);
    },
    async close() {
      listeners.clear();
      stopped.abort();
      if (current) await closeQuietly(current);
      await finished;
    },
  };
}

/** Sends what is buffered where the server still answers, then closes in any case. */
async function closeQuietly(connection: NatsConnection): Promise<void> {
  const limit = new AbortController();
  const flushed = connection.isClosed() ? Promise.resolve() : connection.flush().catch(() => undefined);
  await Promise.race([flushed, pause(CLOSE_TIMEOUT_MS, limit.signal)]);
  limit.abort();
  await connection.close().catch(() => undefined);
}
