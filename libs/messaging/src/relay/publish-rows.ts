import type { JetStreamClient } from "@nats-io/jetstream";
import type { ClaimedRow } from "./claim.ts";
import { cloudEventHeaders } from "./cloud-event-headers.ts";

/** Shorter than the lease, so that a row is given back rather than published by two. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;

export interface PublishResult {
  readonly acknowledged: string[];
  /** The first of the errors, when there was one. */
  readonly error: unknown;
}

/** Publishes all rows at once and waits for JetStream's word on each. Never throws. */
export async function publishRows(client: JetStreamClient, rows: readonly ClaimedRow[]): Promise<PublishResult> {
  const acknowledged: string[] = [];
  let error: unknown;
  await Promise.all(
    rows.map(async (row) => {
      try {
        await publishRow(client, row);
        acknowledged.push(row.id);
      } catch (cause) {
        error ??= cause;
      }
    }),
  );
  return { acknowledged, error };
}

async function publishRow(client: JetStreamClient, row: ClaimedRow): Promise<void> {
  await client.publish(row.subject, row.payload, {
    msgID: row.id,
    headers: cloudEventHeaders(row.headers),
    timeout: ACKNOWLEDGE_TIMEOUT_MS,
  });
}

/** True when no stream takes the subject: the client reports "no responders" under this name, which it does not export. */
export function isNoStream(error: unknown): boolean {
  return error instanceof Error && error.name === "JetStreamNotEnabled";
}
