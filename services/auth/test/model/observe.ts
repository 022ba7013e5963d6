import { decodeJwt, decodeProtectedHeader } from "jose";
import { sql } from "kysely";
import { expect } from "vitest";
import { hashRefreshToken } from "../../src/services/sessions/refresh-token.ts";
import { nameOf, type Names, nthOfEmail } from "./names.ts";
import { hasAccessToken, describeUser, type View } from "./view.ts";
import type { World } from "./session-model.ts";
import type { System } from "./system.ts";

/** Returns the state of the service: its tables, the status of every access token, and the sessions that users see. */
export async function observe(system: System, names: Names, world: World): Promise<View> {
  const userIds = [...names.users.values()];
  const access = await introspect(system, names, world);
  const [users, sessions, events, listed] = await Promise.all([
    readUsers(system, names, userIds),
    readSessions(system, names, userIds),
    readEvents(system, names, userIds),
    listSessions(system, names, access),
  ]);
  return { users, sessions, access, listed, events };
}

async function readUsers({ db }: System, names: Names, userIds: string[]): Promise<View["users"]> {
  const rows = await db.selectFrom("accounts").selectAll().where("id", "in", userIds).orderBy("id").execute();
  return Object.fromEntries(
    rows.map((row) => [
      nameOf(names.users, row.id),
      describeUser({
        role: row.role,
        isActive: row.is_active,
        isDeleted: row.deleted_at !== null,
        isVerified: row.is_verified,
        email: nthOfEmail(row.email),
        tokenVersion: row.token_version,
        version: row.version,
      }),
    ]),
  );
}

async function readSessions({ db, grace }: System, names: Names, userIds: string[]): Promise<View["sessions"]> {
  const rows = await db
    .selectFrom("refresh_tokens")
    .innerJoin("sessions", "sessions.id", "refresh_tokens.session_id")
    .select(["session_id", "token_hash", "revoked_at", "sealed_successor", "ended_at", "reason"])
    .where("refresh_tokens.user_id", "in", userIds)
    .where(sql<boolean>`expires_at > now()`)
    .execute();
  const nameOfHash = new Map(
    [...names.refreshTokens].map(([name, secret]) => [hashRefreshToken(secret).toString("hex"), name]),
  );
  const sessions: Record<string, { ended: string | null; tokens: Record<string, string> }> = {};
  for (const row of rows) {
    const session = (sessions[nameOf(names.sessions, row.session_id)] ??= {
      ended: row.ended_at === null ? null : (row.reason ?? "without a reason"),
      tokens: {},
    });
    const hash = row.token_hash.toString("hex");
    const sealed = grace === 0 && row.sealed_successor !== null ? ", and its successor is stored" : "";
    session.tokens[nameOfHash.get(hash) ?? hash] = (row.revoked_at === null ? "unused" : "rotated") + sealed;
  }
  return sessions;
}

async function readEvents({ db }: System, names: Names, userIds: string[]): Promise<string[]> {
  const rows = await sql<{ payload: EventPayload }>`
    select payload from outbox where payload ->> 'subject' = any(${userIds}) and subject != 'auth.account.created'`.execute(
    db,
  );
  return rows.rows.map(({ payload }) => describeEvent(names, payload)).toSorted();
}

interface EventPayload {
  readonly type: string;
  readonly subject: string;
  readonly version: number;
  readonly data: {
    readonly session_id?: string;
    readonly token_version?: number;
    readonly reason?: string;
    readonly by?: string;
    readonly changed?: readonly string[];
  };
}

/** Returns an event in the notation of the model. */
function describeEvent(names: Names, { type, subject, version, data }: EventPayload): string {
  const { session_id: sessionId, token_version: tokenVersion, reason, by, changed } = data;
  const isUpdate = type === "auth.account.updated";
  const what = [
    type,
    ...(sessionId === undefined ? [] : [nameOf(names.sessions, sessionId)]),
    ...[reason, by, isUpdate ? changed?.join(",") : undefined].filter((one) => one !== undefined),
  ];
  const token = tokenVersion === undefined ? "" : ` token ${tokenVersion}`;
  return `${nameOf(names.users, subject)} version ${version}${token}: ${what.join(" ")}`;
}

/** Returns the introspection result of unexpired access tokens by session; all tokens of a session must agree. */
async function introspect(system: System, names: Names, world: World): Promise<View["access"]> {
  const tokens = [...names.accessTokens].flatMap(([session, own]) =>
    hasAccessToken(world, session) ? own.map((token) => ({ session, token })) : [],
  );
  if (tokens.length === 0) return {};
  const response = await system.replica().introspect(tokens.map(({ token }) => claimsOf(token)));
  const { results } = response.json<{ results: { active: boolean }[] }>();
  const access: Record<string, string> = {};
  for (const [index, { session }] of tokens.entries()) {
    const status = results[index]?.active === true ? "valid" : "revoked";
    access[session] = access[session] === undefined || access[session] === status ? status : "tokens differ";
  }
  return access;
}

function claimsOf(token: string) {
  const { sub, sid, token_version } = decodeJwt(token);
  return { sub, sid, token_version, kid: decodeProtectedHeader(token).kid };
}

async function listSessions(system: System, names: Names, access: View["access"]): Promise<View["listed"]> {
  const listed: Record<string, string[]> = {};
  for (const [session, status] of Object.entries(access)) {
    const token = names.accessTokens.get(session)?.at(-1) ?? "";
    const user = nameOf(names.users, decodeJwt(token).sub ?? "");
    if (status !== "valid" || listed[user] !== undefined) continue;
    const response = await system.replica().withToken(token, "GET", "/v1/auth/sessions");
    const items = response.statusCode === 200 ? response.json<{ items: { id: string }[] }>().items : [];
    listed[user] = items.map(({ id }) => nameOf(names.sessions, id)).toSorted();
  }
  return listed;
}

/** Checks that a clean-up deleted every sealed successor whose grace is over. */
export async function expectNothingSealed({ db, grace }: System, names: Names): Promise<void> {
  const { rows } = await sql<{ kept: number }>`
    select count(*)::int as kept from refresh_tokens
    where user_id = any(${[...names.users.values()]}) and sealed_successor is not null
      and revoked_at < now() - make_interval(secs => ${grace + 1})`.execute(db);
  expect(rows, "sealed successors stored after their grace").toEqual([{ kept: 0 }]);
}

/** Checks that no row contains a refresh token as text or as bytes. */
export async function expectNoSecretsStored({ db }: System, names: Names): Promise<void> {
  const userIds = [...names.users.values()];
  const { rows } = await sql<{ stored: string }>`
    select refresh_tokens::text as stored from refresh_tokens where user_id = any(${userIds})
    union all select sessions::text from sessions where user_id = any(${userIds})
    union all select outbox::text from outbox where payload ->> 'subject' = any(${userIds})`.execute(db);
  const stored = rows.map((row) => row.stored).join("\n");
  const forms = [...names.refreshTokens.values()].flatMap((secret) => [
    secret,
    Buffer.from(secret).toString("hex"),
    Buffer.from(secret, "base64url").toString("hex"),
  ]);
  expect(
    forms.filter((form) => stored.includes(form)),
    "stored refresh tokens",
  ).toEqual([]);
}
