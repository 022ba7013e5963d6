import type { Logger } from "@gatehouse/observability";
import { Redis } from "ioredis";

const ANSWER_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const RECONNECT_MAX_MS = 1_000;

/** A connection that is either usable at this moment or fails at once; it comes back by itself. */
export interface RedisConnection {
  readonly client: Redis;
  isReady(): boolean;
  close(): void;
}

/**
 * Begins to connect, and returns without waiting: the process works without Redis, and so does its start.
 * A command is never queued while the connection is away. A server that accepts and then stays silent costs one
 * request 250 ms: the socket is then given up, and until it answers again nothing is sent to it.
 */
export function connectRedis(url: string, logger: Logger): RedisConnection {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
    disableClientInfo: true,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_MAX_MS),
  });
  // ioredis reports every failed attempt; the log gets one line when it goes and one when it comes.
  let away = false;
  client.on("error", (error: Error) => {
    if (!away) logger.warn({ reason: error.message }, "Redis is away, rate limits count in memory");
    away = true;
  });
  client.on("close", () => {
    if (!away) logger.warn("Redis closed the connection, rate limits count in memory");
    away = true;
  });
  client.on("ready", () => {
    if (away) logger.info("Redis is back, rate limits count across gateways");
    away = false;
  });
  client.connect().catch(() => undefined);

  return {
    client,
    isReady: () => client.status === "ready",
    close() {
      away = true;
      client.disconnect();
    },
  };
}
