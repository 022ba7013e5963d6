import { headers, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/nats-core";
import { createReplyInbox } from "../bus-address.ts";
import type { Publication, PublishRecorder } from "../telemetry/publication.ts";
import { UnansweredError, parsePublishReply } from "./acknowledgement.ts";
import type { Acknowledged, ClaimedRow } from "./claim.ts";

/** Shorter than the lease, so that a row is released before another relay claims it. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;

export interface PublishResult {
  readonly acknowledged: readonly Acknowledged[];
  /** The first error, if any. */
  readonly error: unknown;
}

/**
 * Publishes all rows at once and waits for JetStream's reply to each. Never throws.
 *
 * Uses the plain protocol with one subscription and one timer for all rows: the library's own publish creates a timer and an
 * error with its stack for every message, a third of the relay's cost.
 */
export async function publishRows(
  connection: NatsConnection,
  rows: readonly ClaimedRow[],
  record: PublishRecorder,
): Promise<PublishResult> {
  const inbox = createReplyInbox(connection);
  const publications: Publication[] = [];
  const acknowledged: Acknowledged[] = [];
  let error: unknown;
  let outstanding = rows.length;
  const finished = Promise.withResolvers<void>();

  function finishOne(cause?: unknown): void {
    error ??= cause;
    outstanding -= 1;
    if (outstanding === 0) finished.resolve();
  }

  function receive(message: Msg): void {
    const reply = parsePublishReply(message);
    const index = Number(message.subject.slice(inbox.length + 1));
    const row = rows[index];
    if (reply instanceof Error) {
      publications[index]?.failed(reply);
      return finishOne(reply);
    }
    publications[index]?.acknowledged(reply.isDuplicate);
    if (row) acknowledged.push({ id: row.id, sequence: reply.sequence });
    finishOne();
  }

  function giveUp(cause: unknown): void {
    error ??= cause;
    for (const publication of publications) publication.failed(cause);
    finished.resolve();
  }

  const timer = setTimeout(
    () => giveUp(new UnansweredError("JetStream did not acknowledge in time")),
    ACKNOWLEDGE_TIMEOUT_MS,
  );
  try {
    const subscription = connection.subscribe(`${inbox}.*`, {
      callback: (cause, message) => (cause ? giveUp(cause) : receive(message)),
    });
    void subscription.closed.then(() => giveUp(new UnansweredError("the connection was lost")));
    for (const [index, row] of rows.entries()) {
      const publication = (publications[index] = record(row));
      const cause = publishRow(connection, row, `${inbox}.${index}`, publication);
      if (cause !== undefined) finishOne(cause);
    }
    await finished.promise;
    subscription.unsubscribe();
  } catch (cause) {
    error ??= cause;
  }
  clearTimeout(timer);
  return { acknowledged, error };
}

/** Returns the error of one row that is too large, or of every row when the connection is closed. */
function publishRow(connection: NatsConnection, row: ClaimedRow, reply: string, publication: Publication): unknown {
  const messageHeaders = cloudEventHeaders(row.headers);
  messageHeaders.set("Nats-Msg-Id", row.id);
  if (publication.traceparent !== undefined) messageHeaders.set("traceparent", publication.traceparent);
  try {
    connection.publish(row.subject, row.payload, { headers: messageHeaders, reply });
    return undefined;
  } catch (error) {
    publication.failed(error);
    return error;
  }
}

/** Returns the headers of a published event: those of CloudEvents' structured mode, and `extra`. */
export function cloudEventHeaders(extra: Readonly<Record<string, string>> = {}): MsgHdrs {
  const all = headers();
  all.set("content-type", "application/cloudevents+json");
  for (const [name, value] of Object.entries(extra)) all.set(name, value);
  return all;
}
