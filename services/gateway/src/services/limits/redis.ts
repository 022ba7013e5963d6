import type { Logger } from "@gatehouse/observability";
import { Redis } from "ioredis";

const RESPONSE_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const RECONNECT_MAX_MS = 1_000;

/** A connection that reconnects by itself. While it is down, commands fail at once. */
export interface RedisConnection {
  readonly client: Redis;
  isReady(): boolean;
  close(): void;
}

export interface ConnectRedisDeps {
  readonly url: string;
  readonly logger: Logger;
}

/**
 * Starts to connect and returns without waiting, because the gateway works without Redis. Commands are never queued while
 * the connection is down. A server that stops responding delays one request by 250 ms; then its socket is closed.
 */
export function connectRedis({ url, logger }: ConnectRedisDeps): RedisConnection {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: RESPONSE_TIMEOUT_MS,
    socketTimeout: RESPONSE_TIMEOUT_MS,
    disableClientInfo: true,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_MAX_MS),
  });
  // ioredis reports every failed attempt; the log gets one line when Redis goes down and one when it is up.
  let isDown = false;
  client.on("error", (error: Error) => {
    if (!isDown) logger.warn({ reason: error.message }, "Redis is down, counting rate limits in memory");
    isDown = true;
  });
  client.on("close", () => {
    if (!isDown) logger.warn("Redis closed the connection, counting rate limits in memory");
    isDown = true;
  });
  client.on("ready", () => {
    if (isDown) logger.info("Redis is up, counting rate limits across gateways");
    isDown = false;
  });
  client.connect().catch(() => undefined);

  return {
    client,
    isReady: () => client.status === "ready",
    close() {
      isDown = true;
      client.disconnect();
    },
  };
}
