import { type RunningServices, type ServiceHandle, startServices } from "@gatehouse/test-kit";
import { type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import { jetstream } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  call,
  FIRST_ADMIN,
  login,
  loginAdmin,
  NEW_PASSWORD,
  newEmail,
  PASSWORD,
  type Person,
  problemOf,
  register,
  until,
} from "@gatehouse/test-kit/api";
import { readStream } from "@gatehouse/test-kit/system";

interface Entry {
  readonly id: string;
  readonly type: string;
  readonly user_id: string | null;
  readonly actor: string | null;
  readonly correlation_id: string | null;
  readonly reason: string | null;
}
interface Page {
  readonly items: Entry[];
  readonly next_cursor: string | null;
}

let system: RunningServices;
let base: string;
let auditLog: ServiceHandle;
let admin: Person;
let connection: NatsConnection;
beforeAll(async () => {
  system = await startServices({ auth: FIRST_ADMIN });
  base = system.url;
  const folder = "examples/audit-log";
  const url = await system.database.addService({ folder, schema: "audit", role: "gatehouse_audit" });
  auditLog = await system.add({
    folder,
    portVariable: "AUDIT_PORT",
    busUser: "audit-log",
    environment: { AUDIT_DATABASE_URL: url },
  });
  admin = await loginAdmin(base);
  connection = await connect({ servers: system.bus.url });
});
afterAll(async () => {
  await connection?.close();
  await system?.stop();
});

const audit = (query = "", token: string | undefined = admin.token) =>
  call<Page & { type?: string }>(auditLog.url, "GET", `/v1/audit${query}`, { token });

/** Returns the whole trail, or one user's, read page by page. */
async function trail(userId?: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query = new URLSearchParams({ limit: "7", ...(userId && { user_id: userId }), ...(cursor && { cursor }) });
    const { status, body }: Awaited<ReturnType<typeof audit>> = await audit(`?${query.toString()}`);
    expect(status).toBe(200);
    entries.push(...body.items);
    cursor = body.next_cursor;
  }
  return entries;
}

/** Returns all events of the streams, each id once. */
async function happened(): Promise<Map<string, GatehouseEvent>> {
  const messages = [
    ...(await readStream(connection, STREAMS.auth.name)),
    ...(await readStream(connection, STREAMS.user.name)),
  ];
  const events = messages.map(({ event }) => event).filter(({ type }) => type !== "auth.watermark");
  return new Map(events.map((event) => [event.id, event]));
}

/** Waits until the trail has every event of the streams, and compares both event by event. */
async function expectWholeTrail(): Promise<void> {
  const events = await happened();
  await until(async () => (await trail()).length >= events.size);
  const entries = await trail();
  expect(entries.map(({ id }) => id).toSorted()).toEqual([...events.keys()].toSorted());
  for (const { id, type, user_id, actor, correlation_id } of entries) {
    const event = events.get(id);
    expect([type, actor, correlation_id]).toEqual([event?.type, event?.actor ?? null, event?.correlationid ?? null]);
    if (event?.type !== "auth.key.retired") expect(user_id).toBe(event?.subject);
  }
}

describe("the audit log", () => {
  it("records each event of a user once, with actor and correlation id and without personal data", async () => {
    const steps = {
      registration: "audit-1",
      login: "audit-2",
      password: "audit-3",
      again: "audit-4",
      deletion: "audit-5",
    };
    const request = (step: keyof typeof steps) => ({ "x-correlation-id": steps[step], "user-agent": "Audit-Device" });
    const email = newEmail();
    const json = { email, password: PASSWORD, full_name: "Grace Hopper" };
    const registered = await call(base, "POST", "/v1/users", { json, headers: request("registration") });
    const id = String(registered.body["id"]);
    const logIn = async (step: "login" | "again", password: string) => {
      const form = { username: email, password, device_name: "Audit-Device" };
      const answer = await call(base, "POST", "/v1/auth/login", { form, headers: request(step) });
      return String(answer.body["access_token"]);
    };
    const changed = await call(base, "POST", "/v1/auth/change-password", {
      token: await logIn("login", PASSWORD),
      json: { current_password: PASSWORD, new_password: NEW_PASSWORD },
      headers: request("password"),
    });
    const deleted = await call(base, "DELETE", "/v1/users/me", {
      token: await logIn("again", NEW_PASSWORD),
      json: { password: NEW_PASSWORD },
      headers: request("deletion"),
    });
    expect([registered.status, changed.status, deleted.status]).toEqual([201, 204, 204]);

    await until(async () => (await trail(id)).length >= 7);
    const seen = (await trail(id)).map(({ type, actor, correlation_id, reason }) => [
      type,
      actor,
      correlation_id,
      reason,
    ]);
    expect(seen.toSorted((a, b) => `${a[2]} ${a[0]}`.localeCompare(`${b[2]} ${b[0]}`))).toEqual([
      ["auth.account.created", null, steps.registration, null],
      ["user.registered", null, steps.registration, null],
      ["auth.session.started", id, steps.login, null],
      ["auth.password.changed", id, steps.password, "self"],
      ["auth.session.started", id, steps.again, null],
      ["auth.account.deleted", id, steps.deletion, "soft"],
      ["user.deleted", id, steps.deletion, "soft"],
    ]);
    await expectWholeTrail();
    const everything = JSON.stringify(await trail());
    for (const personal of [email, "Grace", "Hopper", "Audit-Device", "127.0.0.1", FIRST_ADMIN.FIRST_ADMIN_EMAIL])
      expect(everything).not.toContain(personal);
  });

  it("names the admin who changed a user and the changed fields, without values", async () => {
    const user = await register(base);
    const json = { role: "admin", full_name: "Another Name" };
    await call(base, "PATCH", `/v1/admin/users/${user.id}`, { token: admin.token, json });
    const byAdmin = async () => (await trail(user.id)).filter(({ actor }) => actor === admin.id);
    await until(async () => (await byAdmin()).length >= 3);
    const entries = (await byAdmin()).toSorted((a, b) => a.type.localeCompare(b.type));
    expect(entries).toMatchObject([
      { type: "auth.account.updated", changed: ["role"] },
      { type: "auth.sessions.revoked", reason: "role_changed" },
      { type: "user.profile.updated", changed: ["full_name"] },
    ]);
    expect(JSON.stringify(await trail(user.id))).not.toContain("Another Name");
  });

  it("is for admins: 401 without a token, 403 for others, 422 for an unknown query", async () => {
    const user = await register(base);
    const answers = [
      await call(auditLog.url, "GET", "/v1/audit?user_id=x"),
      await audit("?user_id=x", user.token),
      await audit("?user_id=x"),
      await audit("?limit=101"),
      await audit("?email=x"),
    ];
    expect(answers.map((answer) => problemOf(answer as never))).toEqual([
      [401, "AuthenticationError"],
      [403, "PermissionDenied"],
      [422, "ValidationError"],
      [422, "ValidationError"],
      [422, "ValidationError"],
    ]);
    for (const { headers } of answers) expect(headers.get("content-type")).toMatch(/^application\/problem\+json/);
  });

  it("rejects an admin's revoked token", async () => {
    const { FIRST_ADMIN_EMAIL: email, FIRST_ADMIN_PASSWORD: password } = FIRST_ADMIN;
    const session = await login(base, email, password);
    expect((await audit("", session.token)).status).toBe(200);
    await call(base, "POST", "/v1/auth/logout", { token: session.token });
    await until(async () => (await audit("", session.token)).status === 401);
    expect((await audit("", session.token)).body.type).toBe("TokenRevokedError");
  });

  it("records a duplicate or replayed event once", async () => {
    const messages = [
      ...(await readStream(connection, STREAMS.auth.name)),
      ...(await readStream(connection, STREAMS.user.name)),
    ].filter(({ event }) => event.type !== "auth.watermark");
    await expectWholeTrail();
    const before = await trail();
    for (const { raw, event } of messages)
      await jetstream(connection).publish(event.type, raw, { msgID: `again-${event.id}` });
    const user = await register(base);
    const isDone = async (stream: string) => {
      const answer = await connection.request(`$JS.API.CONSUMER.INFO.${stream}.audit-log`);
      const { num_pending, num_ack_pending } = answer.json<Record<string, number>>();
      return num_pending === 0 && num_ack_pending === 0;
    };
    await until(() => isDone(STREAMS.auth.name));
    await until(() => isDone(STREAMS.user.name));
    await until(async () => (await trail(user.id)).length === 3);
    expect((await trail()).length).toBe(before.length + 3);
    await expectWholeTrail();
  });

  it("catches up after downtime and stops cleanly", async () => {
    expect(await auditLog.stop()).toBe("exit code 0");
    const user = await register(base);
    await call(base, "PATCH", "/v1/users/me", { token: user.token, json: { full_name: "Meanwhile" } });
    await call(base, "POST", "/v1/auth/logout-all", { token: user.token });
    await auditLog.start();
    await until(async () => (await trail(user.id)).length >= 5);
    expect((await trail(user.id)).map(({ type }) => type).toSorted()).toEqual([
      "auth.account.created",
      "auth.session.started",
      "auth.sessions.revoked",
      "user.profile.updated",
      "user.registered",
    ]);
    await expectWholeTrail();
  });

  it("serves health and an OpenAPI document", async () => {
    expect((await call(auditLog.url, "GET", "/health")).body).toEqual({ status: "healthy" });
    const ready = await call(auditLog.url, "GET", "/health/ready");
    expect(ready.body).toEqual({ status: "ready", checks: { database: "healthy", nats: "healthy" } });
    const openapi = await call(auditLog.url, "GET", "/openapi.json");
    expect(Object.keys(openapi.body["paths"] as object)).toContain("/v1/audit");
  });
});
