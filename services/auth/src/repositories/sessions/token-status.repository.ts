import { sql } from "kysely";
import type { AuthHandle } from "../../db/database.ts";

/** What auth's tables say of a user, one of his sessions and a signing key, now. */
export interface Standing {
  /** True, too, for a session that is unknown or is another user's. */
  readonly sessionEnded: boolean;
  /** null when the account is gone for good. */
  readonly tokenVersion: number | null;
  /** Active and not deleted. */
  readonly mayEnter: boolean;
  /** Not retired. A replica's memory does not tell: another one may have retired it a moment ago. */
  readonly keyStands: boolean;
}

interface StandingRow {
  session_ended: boolean;
  token_version: number | null;
  may_enter: boolean;
  key_stands: boolean;
}

/** What a token says of itself. */
export interface Claimed {
  readonly userId: string;
  readonly sessionId: string;
  readonly kid: string;
}

/** One answer a token, in their order, by one statement. */
export async function findStanding(db: AuthHandle, claimed: readonly Claimed[]): Promise<Standing[]> {
  const userIds = claimed.map(({ userId }) => userId);
  const sessionIds = claimed.map(({ sessionId }) => sessionId);
  const kids = claimed.map(({ kid }) => kid);
  const result = await sql<StandingRow>`
    select sessions.id is null or sessions.ended_at is not null as session_ended,
      accounts.token_version,
      coalesce(accounts.is_active and accounts.deleted_at is null, false) as may_enter,
      signing_keys.kid is not null as key_stands
    from unnest(${userIds}::uuid[], ${sessionIds}::uuid[], ${kids}::text[])
      with ordinality as asked (user_id, session_id, kid, position)
    left join accounts on accounts.id = asked.user_id
    left join sessions on sessions.id = asked.session_id and sessions.user_id = asked.user_id
    left join signing_keys on signing_keys.kid = asked.kid and signing_keys.retired_at is null
    order by position`.execute(db);
  return result.rows.map((row) => ({
    sessionEnded: row.session_ended,
    tokenVersion: row.token_version,
    mayEnter: row.may_enter,
    keyStands: row.key_stands,
  }));
}
