import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { createOwnInbox } from "../jetstream/own-inbox.ts";
import type { Publication, PublishRecorder } from "../telemetry/publication.ts";
import { UnansweredError, wordIn } from "./acknowledgement.ts";
import type { Acknowledged, ClaimedRow } from "./claim.ts";
import { cloudEventHeaders } from "./cloud-event-headers.ts";

/** Shorter than the lease, so that a row is given back rather than published by two. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;

export interface PublishResult {
  readonly acknowledged: readonly Acknowledged[];
  /** The first of the errors, when there was one. */
  readonly error: unknown;
}

/**
 * Publishes all rows at once and waits for JetStream's word on each. Never throws.
 *
 * Written on the plain protocol, one subscription and one timer for all: the library's own publish makes a timer, and an error with
 * its stack, for every message that goes well, which was a third of what the relay cost.
 */
export async function publishRows(
  connection: NatsConnection,
  rows: readonly ClaimedRow[],
  record: PublishRecorder,
): Promise<PublishResult> {
  const inbox = createOwnInbox(connection);
  const publications: Publication[] = [];
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
    const index = Number(message.subject.slice(inbox.length + 1));
    const row = rows[index];
    if (word instanceof Error) {
      publications[index]?.failed(word);
      return settle(word);
    }
    publications[index]?.acknowledged(word.isDuplicate);
    if (row) acknowledged.push({ id: row.id, sequence: word.sequence });
    settle();
  }

  function giveUp(cause: unknown): void {
    error ??= cause;
    for (const publication of publications) publication.failed(cause);
    settled.resolve();
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
      try {
        publishRow(connection, row, { reply: `${inbox}.${index}`, traceparent: publication.traceparent });
      } catch (cause) {
        // This one alone, when it is too large; every one, when the connection has been closed.
        publication.failed(cause);
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

function publishRow(
  connection: NatsConnection,
  row: ClaimedRow,
  { reply, traceparent }: { reply: string; traceparent: string | undefined },
): void {
  const headers = cloudEventHeaders(row.headers);
  headers.set("Nats-Msg-Id", row.id);
  if (traceparent !== undefined) headers.set("traceparent", traceparent);
  connection.publish(row.subject, row.payload, { headers, reply });
}
