import { createTestBus, createTestDatabase } from "@gatehouse/test-kit";
import { type EventData, type GatehouseEvent, newId, parseEvent, STREAMS } from "@gatehouse/contracts";
import type { App } from "@gatehouse/http";
import { createReleasers } from "@gatehouse/http/process";
import { type Bus, createEvent, ensureStreams } from "@gatehouse/messaging";
import { expect, vi } from "vitest";
import { buildApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { UserHandle } from "../src/db/database.ts";
import { createDependencies } from "../src/dependencies.ts";
import { INTERNAL_TOKEN, startAuthServer, type TokenFor } from "./auth-server.ts";

export type UserFixture = Awaited<ReturnType<typeof startUser>>;

export interface UserBody {
  readonly id: string;
  readonly email: string;
  readonly full_name: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

interface CallOptions {
  readonly as?: TokenFor;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

interface StartOptions {
  /** The service connects to the database through the host and port of this URL. */
  readonly databaseProxy?: string;
  /** The bus stops before the service starts. */
  readonly withoutBus?: boolean;
}

const TEST_ENVIRONMENT = {
  ENVIRONMENT: "test",
  LOG_LEVEL: "silent",
  INTERNAL_API_TOKEN: INTERNAL_TOKEN,
  INTROSPECTION_TOKEN: "introspection-token-for-tests",
};

/** Starts the user service with a database and a bus of its own, and a server that plays auth. */
export async function startUser(
  environment: Record<string, string> = {},
  { databaseProxy, withoutBus }: StartOptions = {},
) {
  const releasers = createReleasers((resource, error) => console.error(resource, error));
  const [database, bus, auth] = await Promise.all([createTestDatabase(), createTestBus(), startAuthServer()]);
  releasers.add("database", () => database.drop());
  releasers.add("bus", () => bus.stop());
  releasers.add("auth", () => auth.stop());
  if (withoutBus) await bus.stop();
  const databaseUrl = new URL(database.userUrl);
  if (databaseProxy !== undefined) databaseUrl.host = new URL(databaseProxy).host;
  const urls = { USER_DATABASE_URL: databaseUrl.href, NATS_URL: bus.url, AUTH_URL: auth.url };
  const config = readConfig({ ...TEST_ENVIRONMENT, ...urls, ...environment });
  const dependencies = await createDependencies(config, releasers).catch(async (error: unknown) => {
    await releasers.releaseAll();
    throw error;
  });
  const app = await buildReadyApp(dependencies);
  const { db } = dependencies.database;
  async function call(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, options: CallOptions = {}) {
    const token = options.as && (await auth.token(options.as));
    const response = await app.inject({
      method,
      url,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...options.headers },
      ...(options.body !== undefined && { payload: options.body }),
    });
    const body: any = response.body === "" ? undefined : JSON.parse(response.body);
    return { status: response.statusCode, headers: response.headers, body };
  }

  return {
    app,
    auth,
    bus,
    db,
    dependencies,
    call,

    /** Registers a user and returns the response body. */
    async register(fields: Record<string, unknown> = {}): Promise<UserBody> {
      const body = { email: `${newId()}@example.com`, password: "Secret123", full_name: "Ann", ...fields };
      const response = await call("POST", "/v1/users", { body });
      expect(response).toMatchObject({ status: 201 });
      return response.body;
    },

    /** Returns the events that this service has written about a user, oldest first. */
    eventsOf: (id: string) => findEvents(db, id),

    ...authStream(dependencies.bus),

    async stop(): Promise<void> {
      await app.close();
      await releasers.releaseAll();
    },
  };
}

/** Waits until the service is ready: every bearer gets 503 until the signing keys are loaded. */
async function buildReadyApp(dependencies: Awaited<ReturnType<typeof createDependencies>>): Promise<App> {
  const app = await buildApp(dependencies);
  await app.ready();
  await vi.waitUntil(async () => (await app.inject("/health/ready")).statusCode === 200, { timeout: 10_000 });
  return app;
}

async function findEvents(db: UserHandle, id: string): Promise<GatehouseEvent[]> {
  const rows = await db.selectFrom("outbox").select("payload").orderBy("id").execute();
  return rows.map(({ payload }) => parseEvent(payload)).filter(({ subject }) => subject === id);
}

/** The stream AUTH_EVENTS, as auth and the service's consumer use it. */
function authStream(bus: Bus) {
  async function connect() {
    const connection = await vi.waitUntil(() => bus.connection(), { timeout: 5_000 });
    await ensureStreams(connection, Object.values(STREAMS), 1);
    return connection;
  }

  return {
    /** Publishes events as auth's relay does. */
    async publish(...events: GatehouseEvent[]): Promise<void> {
      const connection = await connect();
      for (const event of events) {
        const response = await connection.request(event.type, JSON.stringify(event));
        expect(response.json()).toMatchObject({ stream: "AUTH_EVENTS" });
      }
    },

    /** Resolves when the consumer has handled everything that was published. */
    async consumed(): Promise<void> {
      const connection = await connect();
      const isIdle = async () => {
        const response = await connection.request("$JS.API.CONSUMER.INFO.AUTH_EVENTS.user");
        const { num_pending, num_ack_pending } = response.json<Record<string, number>>();
        return num_pending === 0 && num_ack_pending === 0;
      };
      await vi.waitUntil(isIdle, { timeout: 10_000 });
    },
  };
}

type AccountSubject =
  | "auth.account.created"
  | "auth.account.updated"
  | "auth.account.deleted"
  | "auth.account.restored";

/** Returns an event of auth about an account. `fields` replace or add data fields. */
export function accountEvent<S extends AccountSubject>(
  type: S,
  id: string,
  version: number,
  fields: Record<string, unknown> = {},
  time = new Date(),
): GatehouseEvent<S> {
  const common = { user_id: id, email: `${id}@example.com`, role: "user", is_active: true, is_verified: false };
  const own: Record<AccountSubject, object> = {
    "auth.account.created": { ...common, full_name: "Ann" },
    "auth.account.updated": { ...common, changed: [] },
    "auth.account.restored": { ...common, changed: ["deleted_at"] },
    "auth.account.deleted": { user_id: id, soft: true, token_version: version },
  };
  const data = { ...own[type], ...fields } as unknown as EventData<S>;
  return createEvent({ source: "auth", type, subject: id, version, data, time });
}
