import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { createOwnInbox } from "../jetstream/own-inbox.ts";
import type { Acknowledged, ClaimedRow } from "./claim.ts";
import { cloudEventHeaders } from "./cloud-event-headers.ts";

/** Shorter than the lease, so that a row is given back rather than published by two. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;
const NO_RESPONDERS = 503;

export interface PublishResult {
  readonly acknowledged: readonly Acknowledged[];
  /** The first of the errors, when there was one. */
  readonly error: unknown;
}

/** Nobody listens on the subject: no stream takes it, or JetStream is off. */
export class NoStreamError extends Error {
  constructor() {
    super("no stream takes the subject");
    this.name = "NoStreamError";
  }
}

/**
 * Publishes all rows at once and waits for JetStream's word on each. Never throws.
 *
 * Written on the plain protocol, one subscription and one timer for all: the library's own publish makes a timer, and an error with
 * its stack, for every message that goes well, which was a third of what the relay cost.
 */
export async function publishRows(connection: NatsConnection, rows: readonly ClaimedRow[]): Promise<PublishResult> {
  const inbox = createOwnInbox(connection);
  const acknowledged: Acknowledged[] = [];
  let error: unknown;
  let awaited = rows.length;
  const settled = Promise.withResolvers<void>();

  /** What has become of one row is known. */
  function settle(cause?: unknown): void {
    error ??= cause;
    awaited -= 1;
    if (awaited === 0) settled.resolve();
  }

  function receive(message: Msg): void {
    const word = wordIn(message);
    const row = rows[Number(message.subject.slice(inbox.length + 1))];
    if (typeof word !== "number") return settle(word);
    if (row) acknowledged.push({ id: row.id, sequence: word });
    settle();
  }

  function giveUp(cause: unknown): void {
    error ??= cause;
    settled.resolve();
  }

  const timer = setTimeout(() => giveUp(new Error("JetStream did not acknowledge in time")), ACKNOWLEDGE_TIMEOUT_MS);
  try {
    const subscription = connection.subscribe(`${inbox}.*`, {
      callback: (cause, message) => (cause ? giveUp(cause) : receive(message)),
    });
    void subscription.closed.then(() => giveUp(new Error("the connection was lost")));
    for (const [index, row] of rows.entries()) {
      try {
        publishRow(connection, row, `${inbox}.${index}`);
      } catch (cause) {
        // This one alone, when it is too large; every one, when the connection has been closed.
        settle(cause);
      }
    }
    await settled.promise;
    subscription.unsubscribe();
  } catch (cause) {
    error ??= cause;
  }
  clearTimeout(timer);
  return { acknowledged, error };
}

function publishRow(connection: NatsConnection, row: ClaimedRow, reply: string): void {
  const headers = cloudEventHeaders(row.headers);
  headers.set("Nats-Msg-Id", row.id);
  connection.publish(row.subject, row.payload, { headers, reply });
}

/** @returns the number under which JetStream has the message, or why it has not */
function wordIn(message: Msg): number | Error {
  if (message.headers?.code === NO_RESPONDERS) return new NoStreamError();
  try {
    const { error, seq } = message.json<{ error?: { description?: string }; seq?: number }>();
    return seq !== undefined && !error ? seq : new Error(error?.description ?? "JetStream refused the message");
  } catch {
    return new Error("JetStream's answer is no JSON");
  }
}
