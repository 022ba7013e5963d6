import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";

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

/** Returns at once; connects in the background and reconnects for ever. */
export function connectBus(_options: BusOptions): Bus {
  throw new Error("not written yet");
}
