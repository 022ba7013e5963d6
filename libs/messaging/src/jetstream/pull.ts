import { type Msg, nanos, type NatsConnection } from "@nats-io/nats-core";
import { type Delivered, delivered } from "./delivered.ts";
import { createOwnInbox } from "./own-inbox.ts";

export interface Pull {
  /** One delivered message is dealt with, so another may come. */
  release(): void;
  /** Asks for nothing more; what was delivered can still be acknowledged. */
  stop(): void;
  /** Resolves with the reason when the server's side ended: nothing can be acknowledged any more. */
  readonly ended: Promise<string>;
}

const HEARTBEAT_MS = 1_000;
const EXPIRES_MS = 30_000;
const TICK_MS = 500;
/** Counted in ticks and not by the clock, so that a process that was busy with itself does not blame the server. */
const SILENT_TICKS = 7;

const HEARTBEAT = 100;
const NOT_FOUND = 404;
const EXPIRED = 408;

/**
 * Keeps pull requests open on a consumer, so that at most `capacity` messages are asked for or in hand at any time.
 *
 * Written on the plain protocol because the library's own loop goes on quietly where this one must end: it waits for a deleted
 * consumer to return, and takes its own full buffer for missing heartbeats.
 */
export function startPull(options: {
  connection: NatsConnection;
  stream: string;
  consumer: string;
  capacity: number;
  onMessage: (message: Delivered) => void;
}): Pull {
  const { connection, capacity } = options;
  const inbox = createOwnInbox(connection);
  const requestSubject = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`;
  const end = Promise.withResolvers<string>();
  let asked = 0;
  let held = 0;
  let silent = 0;
  let stopped = false;
  let alive = true;

  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => (error ? finish(error.message) : receive(message)),
  });
  const ticking = setInterval(tick, TICK_MS).unref();
  void connection.closed().then(() => finish("connection lost"));
  ask();

  function receive(message: Msg): void {
    silent = 0;
    if (message.subject === inbox) return receiveStatus(message);
    asked = Math.max(0, asked - 1);
    held += 1;
    options.onMessage(delivered(message, () => alive));
    ask();
  }

  function receiveStatus(message: Msg): void {
    const code = message.headers?.code;
    if (code === HEARTBEAT) return;
    if (code !== EXPIRED && code !== NOT_FOUND) return finish(message.headers?.description || `status ${code}`);
    // A request ran out; it says how many of its messages never came.
    const left = message.headers?.get("Nats-Pending-Messages");
    asked = left ? Math.max(0, asked - Number(left)) : 0;
    ask();
  }

  function ask(): void {
    const batch = capacity - asked - held;
    // Several at a time where several are wanted, but never none while nothing is asked for.
    if (stopped || batch < 1 || (asked > 0 && batch < capacity / 4)) return;
    asked += batch;
    const request = { batch, expires: nanos(EXPIRES_MS), idle_heartbeat: nanos(HEARTBEAT_MS) };
    connection.publish(requestSubject, JSON.stringify(request), { reply: inbox });
  }

  function tick(): void {
    // The server owes heartbeats only while a request is open.
    silent = asked > 0 ? silent + 1 : 0;
    if (silent > SILENT_TICKS) finish("no heartbeat");
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
      held -= 1;
      if (alive) ask();
    },
    stop,
    ended: end.promise,
  };
}
