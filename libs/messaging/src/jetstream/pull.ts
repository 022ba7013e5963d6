import { type Msg, nanos, type NatsConnection } from "@nats-io/nats-core";
import { createReplyInbox } from "../bus-address.ts";
import { type Delivered, delivered } from "./delivered.ts";

export interface Pull {
  /** Frees the slot of one delivered message. */
  release(): void;
  /** Requests nothing more; delivered messages can still be acknowledged. */
  stop(): void;
  /** Resolves with the reason when the pull ended; nothing can be acknowledged after that. */
  readonly ended: Promise<string>;
}

const HEARTBEAT_MS = 1_000;
const EXPIRES_MS = 30_000;
const TICK_MS = 500;
/** Counts ticks instead of time, so that a busy process does not mistake its own delay for the server's silence. */
const SILENT_TICKS = 7;

const HEARTBEAT = 100;
const NOT_FOUND = 404;
const EXPIRED = 408;

export interface PullDeps {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  /** How many messages are requested or held at most. */
  readonly capacity: number;
  readonly onMessage: (message: Delivered) => void;
}

/**
 * Keeps pull requests open on a consumer.
 *
 * Uses the plain protocol, because the library's own loop continues where this one must end: it waits for a deleted consumer
 * to return, and mistakes its own full buffer for missing heartbeats.
 */
export function startPull({ connection, stream, consumer, capacity, onMessage }: PullDeps): Pull {
  const inbox = createReplyInbox(connection);
  const requestSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  const end = Promise.withResolvers<string>();
  const requests = createRequests(capacity, (batch) => {
    const request = { batch, expires: nanos(EXPIRES_MS), idle_heartbeat: nanos(HEARTBEAT_MS) };
    connection.publish(requestSubject, JSON.stringify(request), { reply: inbox });
  });
  let silentTicks = 0;
  let stopped = false;
  let alive = true;

  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => (error ? finish(error.message) : receive(message)),
  });
  const ticking = setInterval(tick, TICK_MS).unref();
  void connection.closed().then(() => finish("connection lost"));
  requests.send();

  function receive(message: Msg): void {
    silentTicks = 0;
    if (message.subject === inbox) return receiveStatus(message);
    requests.received();
    onMessage(delivered(message, () => alive));
    if (!stopped) requests.send();
  }

  function receiveStatus(message: Msg): void {
    const code = message.headers?.code;
    if (code === HEARTBEAT) return;
    if (code !== EXPIRED && code !== NOT_FOUND) return finish(message.headers?.description || `status ${code}`);
    // The server reports how many messages of the expired request it did not deliver.
    const left = message.headers?.get("Nats-Pending-Messages");
    requests.expired(left ? Number(left) : undefined);
    if (!stopped) requests.send();
  }

  function tick(): void {
    // The server sends heartbeats only while a request is open.
    silentTicks = requests.areOpen() ? silentTicks + 1 : 0;
    if (silentTicks > SILENT_TICKS) finish("no heartbeat");
  }

  function finish(reason: string): void {
    if (!alive) return;
    stop();
    alive = false;
    end.resolve(reason);
  }

  function stop(): void {
    if (stopped) return;
    stopped = true;
    clearInterval(ticking);
    if (!connection.isClosed()) subscription.unsubscribe();
  }

  return {
    release() {
      requests.released();
      if (!stopped) requests.send();
    },
    stop,
    ended: end.promise,
  };
}

/** Counts requested and held messages against `capacity`. */
function createRequests(capacity: number, request: (batch: number) => void) {
  let requested = 0;
  let held = 0;
  return {
    /** Requests several messages at a time, unless nothing is requested at all. */
    send(): void {
      const batch = capacity - requested - held;
      if (batch < 1 || (requested > 0 && batch < capacity / 4)) return;
      requested += batch;
      request(batch);
    },
    received(): void {
      requested = Math.max(0, requested - 1);
      held += 1;
    },
    released(): void {
      held -= 1;
    },
    /** @param undelivered messages of the expired request; all requested ones by default */
    expired(undelivered = requested): void {
      requested = Math.max(0, requested - undelivered);
    },
    areOpen: () => requested > 0,
  };
}
