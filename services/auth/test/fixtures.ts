import { createTestDatabase } from "@gatehouse/test-kit";
import { newId, REFRESH_COOKIE } from "@gatehouse/contracts";
import type { App } from "@gatehouse/http";
import { createReleasers } from "@gatehouse/http/process";
import { decodeJwt } from "jose";
import { type Kysely, sql } from "kysely";
import type { LightMyRequestResponse } from "fastify";
import { vi } from "vitest";
import { buildApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { AuthTables } from "../src/db/database.ts";
import { createDependencies, type Dependencies } from "../src/dependencies.ts";

const INTERNAL_TOKEN = "internal-token-of-the-tests";
const INTROSPECTION_TOKEN = "introspection-token-of-the-tests";
export const PASSWORD = "Correct-Horse-1";

/** No NATS server listens here: auth must work without NATS. */
const NO_BUS = "nats://127.0.0.1:9";

export interface LoggedIn {
  readonly userId: string;
  readonly sessionId: string;
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export type AuthFixture = Awaited<ReturnType<typeof startAuth>>;

/** Starts the auth service without a socket, on its own database. */
export async function startAuth(environment: NodeJS.ProcessEnv = {}) {
  const testDatabase = await createTestDatabase();
  const auth = await startReplica(testDatabase.authUrl, environment);
  return {
    ...auth,
    async stop() {
      await auth.stop();
      await testDatabase.drop();
    },
  };
}

/** Returns the environment of an auth service on this database. */
export const authVariables = (url: string): NodeJS.ProcessEnv => ({
  ENVIRONMENT: "test",
  LOG_LEVEL: "silent",
  AUTH_DATABASE_URL: url,
  NATS_URL: NO_BUS,
  JWT_SECRET_KEY: "jwt-secret-of-the-tests",
  INTERNAL_API_TOKEN: INTERNAL_TOKEN,
  INTROSPECTION_TOKEN,
  // The lowest cost that Argon2 allows.
  ARGON2_MEMORY_KIB: "8",
  ARGON2_TIME_COST: "1",
  // A busy machine must not turn a login into a 503; tests of the queue set their own limit.
  PASSWORD_HASH_MAX_WAIT_MS: "60000",
});

/** Starts another replica on an existing database. */
export async function startReplica(url: string, environment: NodeJS.ProcessEnv = {}) {
  const releasers = createReleasers();
  const config = readConfig({ ...authVariables(url), ...environment });
  const deps = await createDependencies(config, releasers);
  const app = await buildApp(deps);
  await app.ready();
  return {
    app,
    deps,
    db: deps.database.db,
    url,
    ...requests(app, deps),
    async stop() {
      await app.close();
      await releasers.releaseAll();
    },
  };
}

function requests(app: App, { database }: Dependencies) {
  let number = 0;
  const newEmail = () => `user-${(number += 1)}@example.com`;

  const internal = (method: "POST" | "PATCH", url: string, payload: object) =>
    app.inject({ method, url, payload, headers: { authorization: `Bearer ${INTERNAL_TOKEN}` } });

  const login = (email: string, password = PASSWORD, form: Record<string, string> = {}) =>
    app.inject({
      method: "POST",
      url: "/v1/auth/login",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: new URLSearchParams({ username: email, password, ...form }).toString(),
    });

  async function createAccount(command: Record<string, unknown> = {}) {
    const response = await internal("POST", "/internal/accounts", {
      id: newId(),
      email: newEmail(),
      password: PASSWORD,
      full_name: null,
      role: "user",
      is_active: true,
      is_verified: false,
      on_behalf_of: null,
      ...command,
    });
    return response;
  }

  async function loggedIn(account: { id: string; email: string }): Promise<LoggedIn> {
    const response = await login(account.email);
    const { access_token: accessToken } = response.json<{ access_token: string }>();
    return {
      userId: account.id,
      email: account.email,
      sessionId: String(decodeJwt(accessToken)["sid"]),
      accessToken,
      refreshToken: refreshCookieOf(response)?.value ?? "",
    };
  }

  return {
    newEmail,
    internal,
    login,
    createAccount,
    loggedIn,

    /** Creates a user with one session. */
    async user(): Promise<LoggedIn> {
      return loggedIn((await createAccount()).json());
    },

    /** Creates an admin with one session. Sets the role in the table, since only an admin can set it through the API. */
    async admin(): Promise<LoggedIn> {
      const account = (await createAccount()).json<{ id: string; email: string }>();
      await database.db.updateTable("accounts").set({ role: "admin" }).where("id", "=", account.id).execute();
      return loggedIn(account);
    },

    refresh: (token: string) =>
      app.inject({ method: "POST", url: "/v1/auth/refresh", cookies: { [REFRESH_COOKIE.name]: token } }),

    withToken: (token: string, method: "GET" | "POST" | "DELETE", url: string, payload?: object) =>
      app.inject({ method, url, headers: { authorization: `Bearer ${token}` }, ...(payload && { payload }) }),

    introspect: (tokens: readonly object[]) =>
      app.inject({
        method: "POST",
        url: "/internal/introspect",
        headers: { authorization: `Bearer ${INTROSPECTION_TOKEN}` },
        payload: { tokens },
      }),

    onBehalfOf: ({ accessToken }: LoggedIn) => {
      const { sub, sid, token_version } = decodeJwt(accessToken);
      return { sub, sid, token_version };
    },

    /** Returns the events of one user in the order they were written, without auth.session.started. */
    async eventsOf(userId: string) {
      const rows = await database.db
        .selectFrom("outbox")
        .select("payload")
        .where(sql<boolean>`payload ->> 'subject' = ${userId} and subject != 'auth.session.started'`)
        .orderBy("id")
        .execute();
      return rows.map(({ payload }) => payload as { type: string; version: number; data: Record<string, unknown> });
    },
  };
}

export function refreshCookieOf(response: LightMyRequestResponse) {
  return response.cookies.find(({ name }) => name === REFRESH_COOKIE.name);
}

export function problemOf(response: LightMyRequestResponse): [number, string] {
  return [response.statusCode, response.json<{ type: string }>().type];
}

/** Waits until this number of statements wait for a lock, which makes the order of a race certain. */
export async function waitUntilBlocked(db: Kysely<AuthTables>, statements: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await sql<{ blocked: number }>`
        select count(*)::int as blocked from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
      if (rows[0]?.blocked !== statements) throw new Error(`${rows[0]?.blocked} of ${statements} statements wait`);
    },
    { timeout: 10_000, interval: 5 },
  );
}
