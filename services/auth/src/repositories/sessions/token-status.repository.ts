import { sql } from "kysely";
import type { AuthHandle } from "../../db/database.ts";

/** The state of the account, the session and the signing key that an access token names. */
export interface TokenStatus {
  /** Also true for an unknown session and for another user's session. */
  readonly sessionEnded: boolean;
  /** null when the account is erased or unknown. */
  readonly tokenVersion: number | null;
  /** Active and not deleted. */
  readonly isAccountActive: boolean;
  /** Not retired. Read from the table, because another replica may have retired it a moment ago. */
  readonly isKeyValid: boolean;
}

interface TokenStatusRow {
  session_ended: boolean;
  token_version: number | null;
  account_active: boolean;
  key_valid: boolean;
}

/** The claims of a token that the status depends on. */
export interface TokenReference {
  readonly userId: string;
  readonly sessionId: string;
  readonly kid: string;
}

/** Returns one status for each token, in the order of the tokens, by one statement. */
export async function listTokenStatuses(db: AuthHandle, tokens: readonly TokenReference[]): Promise<TokenStatus[]> {
  const userIds = tokens.map(({ userId }) => userId);
  const sessionIds = tokens.map(({ sessionId }) => sessionId);
  const kids = tokens.map(({ kid }) => kid);
  const result = await sql<TokenStatusRow>`
    select sessions.id is null or sessions.ended_at is not null as session_ended,
      accounts.token_version,
      coalesce(accounts.is_active and accounts.deleted_at is null, false) as account_active,
      signing_keys.kid is not null as key_valid
    from unnest(${userIds}::uuid[], ${sessionIds}::uuid[], ${kids}::text[])
      with ordinality as asked (user_id, session_id, kid, position)
    left join accounts on accounts.id = asked.user_id
    left join sessions on sessions.id = asked.session_id and sessions.user_id = asked.user_id
    left join signing_keys on signing_keys.kid = asked.kid and signing_keys.retired_at is null
    order by position`.execute(db);
  return result.rows.map((row) => ({
    sessionEnded: row.session_ended,
    tokenVersion: row.token_version,
    isAccountActive: row.account_active,
    isKeyValid: row.key_valid,
  }));
}
