import { parseRole, type Role } from "@gatehouse/contracts";
import { sql } from "kysely";
import type { AuthHandle, AuthTransaction } from "../../db/database.ts";

export interface Rotation {
  readonly presentedHash: Buffer;
  readonly successorId: string;
  readonly successorHash: Buffer;
  /** Kept only where a reuse grace is configured. */
  readonly sealedSuccessor: Buffer | null;
  readonly tokenSeconds: number;
  readonly sessionSeconds: number;
}

/** The account and session of a refresh, for the access token. */
export interface RefreshedIdentity {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  readonly tokenVersion: number;
  /** Seconds until the returned refresh token expires. */
  readonly expiresIn: number;
}

interface IdentityRow {
  user_id: string;
  session_id: string;
  role: string;
  token_version: number;
  expires_in: number;
}

const toIdentity = (row: IdentityRow): RefreshedIdentity => ({
  userId: row.user_id,
  sessionId: row.session_id,
  role: parseRole(row.role),
  tokenVersion: row.token_version,
  expiresIn: row.expires_in,
});

/**
 * Rotates a refresh token in one statement. Returns undefined when it did not rotate, for any reason.
 * The update of the session takes its row lock first, so it waits for a revocation in progress and then sees it. The update
 * of the token reads the row again, so only one of several simultaneous uses finds it unused.
 *
 * The account is read without a lock. A revocation that commits after this statement's snapshot also ends the session
 * (this rotation waited for it or is ended by it) and makes the token_version read here stale.
 */
export async function rotateRefreshToken(db: AuthHandle, rotation: Rotation): Promise<RefreshedIdentity | undefined> {
  const result = await sql<IdentityRow>`
    with presented as (
      select refresh_tokens.id, session_id, refresh_tokens.user_id, accounts.role, accounts.token_version
      from refresh_tokens join accounts on accounts.id = refresh_tokens.user_id
      where token_hash = ${rotation.presentedHash}::bytea and refresh_tokens.revoked_at is null and expires_at > now()
        and accounts.is_active and accounts.deleted_at is null
    ), session as (
      update sessions set last_used_at = now()
      from presented
      where sessions.id = presented.session_id and sessions.ended_at is null
        and sessions.created_at + make_interval(secs => ${rotation.sessionSeconds}) > now()
      returning sessions.id, sessions.created_at, presented.id as token_id, presented.user_id, presented.role,
        presented.token_version
    ), rotated as (
      update refresh_tokens set revoked_at = now(), replaced_by = ${rotation.successorId}::uuid,
        sealed_successor = ${rotation.sealedSuccessor}::bytea
      from session
      where refresh_tokens.id = session.token_id and refresh_tokens.revoked_at is null
      returning session.*
    ), successor as (
      insert into refresh_tokens (id, session_id, user_id, token_hash, expires_at)
      select ${rotation.successorId}::uuid, id, user_id, ${rotation.successorHash}::bytea,
        least(now() + make_interval(secs => ${rotation.tokenSeconds}),
              created_at + make_interval(secs => ${rotation.sessionSeconds}))
      from rotated
      returning session_id, user_id, expires_at
    )
    select successor.user_id, successor.session_id, rotated.role, rotated.token_version,
      extract(epoch from expires_at - now())::int as expires_in
    from successor, rotated`.execute(db);
  return result.rows[0] && toIdentity(result.rows[0]);
}

/** A presented token that did not rotate. */
export interface SpentToken {
  readonly sessionId: string;
  readonly userId: string;
  readonly sessionEnded: boolean;
  readonly expired: boolean;
  /** Seconds since it was rotated; null when it was not. */
  readonly rotatedAgo: number | null;
  readonly sealedSuccessor: Buffer | null;
  readonly successorUsed: boolean;
  readonly successor: RefreshedIdentity | undefined;
}

/** Finds a token's session without a lock; undefined for an unknown token. */
export async function findSessionOfToken(
  db: AuthHandle,
  tokenHash: Buffer,
): Promise<{ sessionId: string; userId: string; expired: boolean } | undefined> {
  const row = await db
    .selectFrom("refresh_tokens")
    .select(["session_id", "user_id", sql<boolean>`expires_at <= now()`.as("expired")])
    .where("token_hash", "=", tokenHash)
    .executeTakeFirst();
  return row && { sessionId: row.session_id, userId: row.user_id, expired: row.expired };
}

/** Finds a token that did not rotate. The transaction holds its session's lock, so its rows cannot change. */
export async function findSpentToken(
  trx: AuthTransaction,
  tokenHash: Buffer,
  sessionSeconds: number,
): Promise<SpentToken | undefined> {
  const result = await sql<SpentRow>`
    select presented.session_id, presented.user_id, presented.sealed_successor,
      sessions.ended_at is not null or not accounts.is_active or accounts.deleted_at is not null as session_ended,
      presented.expires_at <= now()
        or sessions.created_at + make_interval(secs => ${sessionSeconds}) <= now() as expired,
      extract(epoch from clock_timestamp() - presented.revoked_at)::float8 as rotated_ago,
      coalesce(successor.revoked_at is not null or successor.expires_at <= now(), true) as successor_used,
      accounts.role, accounts.token_version,
      extract(epoch from successor.expires_at - now())::int as expires_in
    from refresh_tokens presented
    join sessions on sessions.id = presented.session_id
    join accounts on accounts.id = presented.user_id
    left join refresh_tokens successor on successor.id = presented.replaced_by
    where presented.token_hash = ${tokenHash}::bytea`.execute(trx);
  const row = result.rows[0];
  return (
    row && {
      sessionId: row.session_id,
      userId: row.user_id,
      sessionEnded: row.session_ended,
      expired: row.expired,
      rotatedAgo: row.rotated_ago,
      sealedSuccessor: row.sealed_successor,
      successorUsed: row.successor_used,
      successor: row.expires_in === null ? undefined : toIdentity({ ...row, expires_in: row.expires_in }),
    }
  );
}

interface SpentRow extends Omit<IdentityRow, "expires_in"> {
  sealed_successor: Buffer | null;
  session_ended: boolean;
  expired: boolean;
  rotated_ago: number | null;
  successor_used: boolean;
  expires_in: number | null;
}

export async function deleteExpiredTokens(db: AuthHandle, limit: number): Promise<number> {
  const result = await sql`
    delete from refresh_tokens where id in (
      select id from refresh_tokens where expires_at <= now() limit ${limit} for update skip locked)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

/** Deletes sealed successors whose reuse grace is over. */
export async function deleteSealedSuccessors(db: AuthHandle, graceSeconds: number, limit: number): Promise<number> {
  const result = await sql`
    update refresh_tokens set sealed_successor = null where id in (
      select id from refresh_tokens
      where sealed_successor is not null and revoked_at < now() - make_interval(secs => ${graceSeconds})
      limit ${limit} for update skip locked)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}
