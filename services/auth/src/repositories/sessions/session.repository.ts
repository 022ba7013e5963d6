import type { OutboxInsert } from "@gatehouse/messaging";
import { type Selectable, sql } from "kysely";
import type { AuthHandle, AuthTransaction } from "../../db/database.ts";
import type { SessionTable } from "../../db/tables/session.table.ts";
import type { Account } from "../accounts/account.repository.ts";

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

export interface NewSession {
  readonly id: string;
  readonly deviceId: string | null;
  readonly deviceName: string | null;
  readonly ipAddress: string | null;
  readonly tokenId: string;
  readonly tokenHash: Buffer;
  readonly tokenSeconds: number;
}

/**
 * Inserts a session with its first refresh token and its event in one statement, if the account is still the one whose
 * password was verified (docs/reference/design.md). `for share` waits for a change in progress and then reads again.
 * The hash is not compared: a password change raises token_version, and a simultaneous rehash must not fail this login.
 * Returns false when the account has changed.
 */
export async function insertSession(
  db: AuthHandle,
  verified: Account,
  session: NewSession,
  event: OutboxInsert,
): Promise<boolean> {
  const result = await sql<{ id: string }>`
    with account as (
      select id, version from accounts
      where id = ${verified.id} and email = ${verified.email} and token_version = ${verified.tokenVersion}
        and is_active and deleted_at is null
      for share
    ), session as (
      insert into sessions (id, user_id, device_id, device_name, ip_address)
      select ${session.id}, id, ${session.deviceId}, ${session.deviceName}, ${session.ipAddress} from account
      returning id, user_id
    ), token as (
      insert into refresh_tokens (id, session_id, user_id, token_hash, expires_at)
      select ${session.tokenId}, id, user_id, ${session.tokenHash}::bytea,
        now() + make_interval(secs => ${session.tokenSeconds}) from session
    ), event as (
      insert into outbox (id, subject, payload, headers, revoking)
      select ${event.id}, ${event.subject},
        jsonb_set(${event.payload}::jsonb, '{version}', to_jsonb(version)), ${event.headers}::jsonb, ${event.revoking}
      from account
    )
    select id from session`.execute(db);
  return result.rows.length > 0;
}

/** A session is live until it ends or its last refresh token expires. */
const hasLiveToken = sql<boolean>`exists (
  select from refresh_tokens
  where refresh_tokens.session_id = sessions.id
    and refresh_tokens.revoked_at is null and refresh_tokens.expires_at > now())`;

/** Lists the live sessions of a user, newest first. */
export async function listLiveSessions(db: AuthHandle, userId: string): Promise<Session[]> {
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
export async function setSessionEnded(
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
export async function setSessionsEnded(trx: AuthTransaction, userId: string, reason: EndReason): Promise<void> {
  await trx
    .updateTable("sessions")
    .set({ ended_at: sql`now()`, reason })
    .where("user_id", "=", userId)
    .where("ended_at", "is", null)
    .execute();
}

export async function deleteSessionsOf(trx: AuthTransaction, userIds: readonly string[]): Promise<void> {
  await trx.deleteFrom("sessions").where("user_id", "in", userIds).execute();
}

/** Deletes sessions without a token; all their tokens have expired. */
export async function deleteTokenlessSessions(db: AuthHandle, limit: number): Promise<number> {
  const result = await sql`
    delete from sessions where id in (
      select id from sessions
      where not exists (select from refresh_tokens where refresh_tokens.session_id = sessions.id)
      limit ${limit} for update skip locked)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}
