import { sql } from "kysely";
import type { AuthHandle } from "../db/database.ts";

/** What auth's tables say of a user and one of his sessions, now. */
export interface Standing {
  /** True, too, for a session that is unknown or is another user's. */
  readonly sessionEnded: boolean;
  /** null when the account is gone for good. */
  readonly tokenVersion: number | null;
  /** Active and not deleted. */
  readonly mayEnter: boolean;
}

interface StandingRow {
  session_ended: boolean;
  token_version: number | null;
  may_enter: boolean;
}

/** One answer a pair, in their order, by one statement. */
export async function findStanding(
  db: AuthHandle,
  pairs: readonly { readonly userId: string; readonly sessionId: string }[],
): Promise<Standing[]> {
  const userIds = pairs.map(({ userId }) => userId);
  const sessionIds = pairs.map(({ sessionId }) => sessionId);
  const result = await sql<StandingRow>`
    select sessions.id is null or sessions.ended_at is not null as session_ended,
      accounts.token_version,
      coalesce(accounts.is_active and accounts.deleted_at is null, false) as may_enter
    from unnest(${userIds}::uuid[], ${sessionIds}::uuid[]) with ordinality as asked (user_id, session_id, position)
    left join accounts on accounts.id = asked.user_id
    left join sessions on sessions.id = asked.session_id and sessions.user_id = asked.user_id
    order by position`.execute(db);
  return result.rows.map((row) => ({
    sessionEnded: row.session_ended,
    tokenVersion: row.token_version,
    mayEnter: row.may_enter,
  }));
}
