import { newId } from "@gatehouse/contracts";
import { sql } from "kysely";
import { type AuthFixture, startAuth, startReplica } from "../fixtures.ts";
import { emailOf, type Names, passwordOf } from "./names.ts";
import { LIFETIMES } from "./session-model.ts";

const DAY = 86_400;

export type System = Awaited<ReturnType<typeof startSystem>>;

/**
 * Starts two replicas of the service on one PostgreSQL, as in production; requests alternate between them. The replicas hash
 * passwords with different parameters, as during a deployment that raises them, so logins often rehash.
 */
export async function startSystem(grace: number) {
  const environment = {
    REFRESH_REUSE_GRACE_SECONDS: String(grace),
    REFRESH_TOKEN_EXPIRE_DAYS: String(LIFETIMES.refreshToken / DAY),
    SESSION_MAX_DAYS: String(LIFETIMES.session / DAY),
    ACCESS_TOKEN_EXPIRE_MINUTES: String(LIFETIMES.accessToken / 60),
  };
  const first = await startAuth(environment);
  const replicas = [first, await startReplica(first.url, { ...environment, ARGON2_MEMORY_KIB: "16" })];
  let requests = 0;
  return {
    grace,
    db: first.db,
    admin: await first.admin(),
    /** Returns the replica for the next request. */
    replica(): Omit<AuthFixture, "stop"> {
      requests += 1;
      return replicas[requests % replicas.length] ?? first;
    },
    async stop() {
      for (const replica of replicas.toReversed()) await replica.stop();
    },
  };
}

/** Creates the users of a run with the password and the email of the model's first state. */
export async function registerUsers(system: System, users: readonly string[]): Promise<Names> {
  const names: Names = { users: new Map(), sessions: new Map(), refreshTokens: new Map(), accessTokens: new Map() };
  for (const user of users) {
    const id = newId();
    const created = await system.replica().createAccount({ id, email: emailOf(id, 1), password: passwordOf(1) });
    if (created.statusCode !== 201) throw new Error(`The service did not create a user of the run: ${created.body}`);
    names.users.set(user, id);
  }
  return names;
}

/**
 * Moves a session's rows into the past, as if time had passed. The service uses the database's clock, which a test cannot set.
 */
export async function passTime({ db }: System, sessionId: string, seconds: number): Promise<void> {
  const interval = sql`make_interval(secs => ${seconds})`;
  await sql`update refresh_tokens set revoked_at = revoked_at - ${interval}, expires_at = expires_at - ${interval}
    where session_id = ${sessionId}`.execute(db);
  await sql`update sessions set created_at = created_at - ${interval}, last_used_at = last_used_at - ${interval}
    where id = ${sessionId}`.execute(db);
}

/**
 * Undoes the real time since the last step for tokens within the grace, which lasts only seconds. Otherwise a slow machine
 * would change the result. All other spans last minutes or days.
 */
export async function undoElapsedTime({ db, grace }: System, { users }: Names, seconds: number): Promise<void> {
  if (grace === 0) return;
  await sql`update refresh_tokens set revoked_at = least(revoked_at + make_interval(secs => ${seconds}), now())
    where user_id = any(${[...users.values()]}) and revoked_at > now() - make_interval(secs => ${grace})`.execute(db);
}

/** Deletes a run's events from the outbox, which no relay empties here, so that later runs read fewer rows. */
export async function deleteEvents({ db }: System, { users }: Names): Promise<void> {
  await sql`delete from outbox where payload ->> 'subject' = any(${[...users.values()]})`.execute(db);
}
