import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { AuthHandle, AuthTransaction } from "../../db/database.ts";
import type { SessionTable } from "../../db/tables/session.table.ts";

/** Why a session ended, as stored; the events name a subset. */
export type EndReason =
  | "logout"
  | "logout_all"
  | "replay"
  | "removed"
  | "password_changed"
  | "deactivated"
  | "role_changed"
  | "deleted";

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly deviceId: string | null;
  readonly deviceName: string | null;
  readonly ipAddress: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly endedAt: Date | null;
}

function toSession(row: Selectable<SessionTable>): Session {
  return {
    id: row.id,
    userId: row.user_id,
    deviceId: row.device_id,
    deviceName: row.device_name,
    ipAddress: row.ip_address,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    endedAt: row.ended_at,
  };
}

/** A session is live until it ends or its last refresh token expires. */
const hasLiveToken = sql<boolean>`exists (
  select from refresh_tokens
  where refresh_tokens.session_id = sessions.id
    and refresh_tokens.revoked_at is null and refresh_tokens.expires_at > now())`;

/** Newest first. */
export async function findLiveSessions(db: AuthHandle, userId: string): Promise<Session[]> {
  const rows = await db
    .selectFrom("sessions")
    .selectAll()
    .where("user_id", "=", userId)
    .where("ended_at", "is", null)
    .where(hasLiveToken)
    .orderBy("id", "desc")
    .execute();
  return rows.map(toSession);
}

export async function lockSession(trx: AuthTransaction, id: string): Promise<Session | undefined> {
  const row = await trx.selectFrom("sessions").selectAll().where("id", "=", id).forNoKeyUpdate().executeTakeFirst();
  return row && toSession(row);
}

export async function isSessionLive(db: AuthHandle, id: string, userId: string): Promise<boolean> {
  return (await liveSession(db, id, userId).executeTakeFirst()) !== undefined;
}

/** Like isSessionLive, and prevents the session from ending before the transaction ends. */
export async function lockLiveSession(trx: AuthTransaction, id: string, userId: string): Promise<boolean> {
  return (await liveSession(trx, id, userId).forShare().executeTakeFirst()) !== undefined;
}

function liveSession(db: AuthHandle, id: string, userId: string) {
  return db
    .selectFrom("sessions")
    .select("id")
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("ended_at", "is", null);
}

/** Ends one live session. Returns the user's id, or undefined when it had ended or belongs to another user. */
export async function endSession(
  trx: AuthTransaction,
  id: string,
  reason: EndReason,
  options: { readonly userId?: string; readonly onlyUnexpired?: boolean } = {},
): Promise<string | undefined> {
  let query = trx
    .updateTable("sessions")
    .set({ ended_at: sql`now()`, reason })
    .where("id", "=", id)
    .where("ended_at", "is", null);
  if (options.userId !== undefined) query = query.where("user_id", "=", options.userId);
  if (options.onlyUnexpired) query = query.where(hasLiveToken);
  const row = await query.returning("user_id").executeTakeFirst();
  return row?.user_id;
}

/**
 * Ends every live session of a user. Run it after the statement that locked the account: only a later statement sees
 * a login or refresh that the lock waited for.
 */
export async function endSessionsOf(trx: AuthTransaction, userId: string, reason: EndReason): Promise<void> {
  await trx
    .updateTable("sessions")
    .set({ ended_at: sql`now()`, reason })
    .where("user_id", "=", userId)
    .where("ended_at", "is", null)
    .execute();
}

export async function removeSessionsOf(trx: AuthTransaction, userIds: readonly string[]): Promise<void> {
  await trx.deleteFrom("sessions").where("user_id", "in", userIds).execute();
}

/** Deletes sessions without a token; all their tokens have expired. */
export async function removeTokenlessSessions(db: AuthHandle, limit: number): Promise<number> {
  const result = await sql`
    delete from sessions where id in (
      select id from sessions
      where not exists (select from refresh_tokens where refresh_tokens.session_id = sessions.id)
      limit ${limit} for update skip locked)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}
