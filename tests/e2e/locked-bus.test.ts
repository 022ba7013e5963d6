import { type BusUser, type RunningServices, type ServiceHandle, startServices } from "@gatehouse/test-kit";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect, type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  call,
  FIRST_ADMIN,
  loginAdmin,
  NEW_PASSWORD,
  PASSWORD,
  problemOf,
  register,
  until,
} from "@gatehouse/test-kit/api";

/** The whole system on a NATS server with deploy/nats/nats-server.conf, with the example consumer. */
let system: RunningServices;
let auditLog: ServiceHandle;
beforeAll(async () => {
  system = await startServices({ auth: FIRST_ADMIN, lockedBus: true });
  const folder = "examples/audit-log";
  const url = await system.database.addService({ folder, schema: "audit", role: "gatehouse_audit" });
  const environment = { AUDIT_DATABASE_URL: url };
  auditLog = await system.add({ folder, portVariable: "AUDIT_PORT", busUser: "audit-log", environment });
});
afterAll(() => system?.stop());

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs `pnpm ops events …`. Throws its output unless it exits with 0. */
async function ops(...args: string[]) {
  const env = { PATH: process.env["PATH"], NATS_URL: system.busUrl("ops") };
  return await promisify(execFile)(process.execPath, ["tools/ops/main.ts", "events", ...args], { cwd: ROOT, env });
}

/** A client with this bus user's password. */
async function connectAs(user: BusUser): Promise<NatsConnection> {
  const { host, username, password } = new URL(system.busUrl(user));
  return await connect({
    servers: host,
    user: username,
    pass: password,
    inboxPrefix: `_INBOX.${user}`,
    reconnect: false,
  });
}

describe("with bus permissions", () => {
  it("registration and login work, and a password change revokes old tokens at the gateway", async () => {
    const user = await register(system.url);
    const me = () => call(system.url, "GET", "/v1/users/me", { token: user.token });
    expect((await me()).status).toBe(200);
    const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const changed = await call(system.url, "POST", "/v1/auth/change-password", { token: user.token, json });
    expect(changed.status).toBe(204);
    await until(async () => (await me()).status === 401);
    expect(problemOf(await me())).toEqual([401, "TokenRevokedError"]);
  });

  it("auth and user receive each other's events, and the audit log both", async () => {
    // auth creates the first admin; the user service receives it over the bus only.
    const admin = await loginAdmin(system.url);
    const user = await register(system.url, { full_name: "Before" });
    await call(system.url, "PATCH", "/v1/users/me", { token: user.token, json: { full_name: "After" } });
    const form = { username: user.email, password: PASSWORD };
    await until(async () => {
      const { body } = await call<{ user: { full_name: string } }>(system.url, "POST", "/v1/auth/login", { form });
      return body.user.full_name === "After";
    });
    await until(async () => {
      const path = `/v1/audit?user_id=${user.id}`;
      const { body } = await call<{ items: { type: string }[] }>(auditLog.url, "GET", path, { token: admin.token });
      const types = new Set(body.items.map(({ type }) => type));
      return types.has("auth.account.created") && types.has("user.profile.updated");
    });
  });

  it("an operator lists and replays dead letters and reads every stream", async () => {
    const garbage = await connectAs("ops");
    await garbage.request("user.registered", "{}");
    await garbage.close();
    const dead = async () => (await ops("dead", "--consumer", "audit-log")).stdout;
    await until(async () => (await dead()).includes("user.registered"), 30_000);
    expect((await ops("tail", "--since", "1h", "--no-follow")).stdout).toContain("auth.account.created");
    expect(JSON.parse((await ops("replay", "--all", "--yes", "--json")).stdout)).toMatchObject({ replayed: 1 });
  });

  it("no service attempts a forbidden action", () => {
    const refused = [system.auth, system.user, ...system.gateways, auditLog].flatMap((service) =>
      service.logs().filter((line) => line.includes("does not permit") || line.includes("Permissions Violation")),
    );
    expect(refused).toEqual([]);
  });
});

const JSAPI = "$JS.API";
const ALL: readonly BusUser[] = ["auth", "user", "gateway", "ops", "audit-log"];

/** Bus users and subjects that each must not publish. */
const forbidden: (readonly [BusUser, string, string])[] = [
  ["gateway", "announces a new password", "auth.password.changed"],
  ["gateway", "publishes auth's watermark", "auth.watermark"],
  ["gateway", "announces a user", "user.registered"],
  ["gateway", "writes a dead letter", "dead.gateway.auth.account.created"],
  ["gateway", "makes a stream", `${JSAPI}.STREAM.CREATE.OWN`],
  ["gateway", "makes the stream of dead letters", `${JSAPI}.STREAM.CREATE.DEAD_LETTERS`],
  ["gateway", "reads user's events", `${JSAPI}.CONSUMER.CREATE.USER_EVENTS.reader-x`],
  ["gateway", "reads one message", `${JSAPI}.STREAM.MSG.GET.AUTH_EVENTS`],
  ["gateway", "changes user's consumer", `${JSAPI}.CONSUMER.CREATE.AUTH_EVENTS.user`],
  ["gateway", "changes user's filter", `${JSAPI}.CONSUMER.CREATE.AUTH_EVENTS.user.auth.session.>`],
  ["gateway", "changes a consumer by the old API", `${JSAPI}.CONSUMER.CREATE.AUTH_EVENTS`],
  ["gateway", "makes a durable by the old API", `${JSAPI}.CONSUMER.DURABLE.CREATE.AUTH_EVENTS.user`],
  ["gateway", "takes what is user's", `${JSAPI}.CONSUMER.MSG.NEXT.AUTH_EVENTS.user`],
  ["gateway", "takes what is the audit log's", `${JSAPI}.CONSUMER.MSG.NEXT.AUTH_EVENTS.audit-log`],
  ["gateway", "acknowledges for user", "$JS.ACK.AUTH_EVENTS.user.1.1.1.1.0"],
  ["auth", "announces a user", "user.registered"],
  ["auth", "writes a dead letter of user", "dead.user.auth.account.created"],
  ["auth", "changes user's stream", `${JSAPI}.STREAM.UPDATE.USER_EVENTS`],
  ["auth", "acknowledges for the audit log", "$JS.ACK.USER_EVENTS.audit-log.1.1.1.1.0"],
  ["user", "publishes auth's watermark", "auth.watermark"],
  ["user", "makes an account", "auth.account.created"],
  ["user", "changes auth's stream", `${JSAPI}.STREAM.UPDATE.AUTH_EVENTS`],
  ["user", "takes what is the audit log's", `${JSAPI}.CONSUMER.MSG.NEXT.AUTH_EVENTS.audit-log`],
  ["user", "changes auth's consumer", `${JSAPI}.CONSUMER.CREATE.USER_EVENTS.auth.user.>`],
  ["audit-log", "announces a user", "user.registered"],
  ["audit-log", "announces a new password", "auth.password.changed"],
  ["audit-log", "publishes anything", "anything"],
  ["audit-log", "writes a dead letter of auth", "dead.auth.user.registered"],
  ["audit-log", "makes a stream", `${JSAPI}.STREAM.CREATE.OWN`],
  ["audit-log", "changes user's consumer", `${JSAPI}.CONSUMER.CREATE.AUTH_EVENTS.user.auth.>`],
  ["audit-log", "takes what is auth's", `${JSAPI}.CONSUMER.MSG.NEXT.USER_EVENTS.auth`],
  ["ops", "writes a dead letter", "dead.ops.user.registered"],
  ["ops", "changes a consumer by the old API", `${JSAPI}.CONSUMER.CREATE.AUTH_EVENTS`],
  ["ops", "takes what is user's", `${JSAPI}.CONSUMER.MSG.NEXT.AUTH_EVENTS.user`],
  ["ops", "deletes an event", `${JSAPI}.STREAM.MSG.DELETE.AUTH_EVENTS`],
  ...ALL.flatMap((user) => [
    [user, "deletes a stream", `${JSAPI}.STREAM.DELETE.AUTH_EVENTS`] as const,
    [user, "empties a stream", `${JSAPI}.STREAM.PURGE.AUTH_EVENTS`] as const,
    [user, "deletes a consumer", `${JSAPI}.CONSUMER.DELETE.AUTH_EVENTS.user`] as const,
    [user, "answers in another's place", `_INBOX.${user === "auth" ? "user" : "auth"}.x`] as const,
  ]),
];

describe("the NATS server rejects", () => {
  const connections = new Map<BusUser, NatsConnection>();
  beforeAll(async () => {
    for (const user of ALL) connections.set(user, await connectAs(user));
  });
  afterAll(async () => {
    for (const connection of connections.values()) await connection.close();
  });
  const as = (user: BusUser) => connections.get(user) as NatsConnection;

  it.each(forbidden)("%s %s", async (user, _act, subject) => {
    const refusal = await as(user)
      .request(subject, "{}", { timeout: 5_000 })
      .catch((error: Error) => error);
    expect((refusal as Error).cause).toBeInstanceOf(PermissionViolationError);
    expect((refusal as Error).cause).toMatchObject({ operation: "publish", subject });
  });

  it.each(
    ALL.flatMap((user): [BusUser, string, string][] => [
      [user, "all answers", "_INBOX.>"],
      [user, "another's answers", `_INBOX.${user === "auth" ? "gateway" : "auth"}.>`],
      [user, "events without a consumer", "auth.>"],
      [user, "requests to JetStream", "$JS.>"],
    ]),
  )("%s hears %s", async (user, _what, subject) => {
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    as(user).subscribe(subject, { callback: resolve });
    expect(await promise).toMatchObject({ operation: "subscription", subject });
  });

  it("another service's consumer in the body of a request for one's own", async () => {
    const { config: before } = (await as("ops").request(`${JSAPI}.CONSUMER.INFO.AUTH_EVENTS.user`)).json<{
      config: object;
    }>();
    const ask = async (names: object) => {
      const config = { ...names, ack_policy: "explicit", filter_subject: "auth.nothing", inactive_threshold: 1e9 };
      const body = JSON.stringify({ stream_name: "AUTH_EVENTS", config });
      const answer = await as("gateway").request(`${JSAPI}.CONSUMER.CREATE.AUTH_EVENTS.reader-x`, body);
      return answer.json<{ name?: string }>().name;
    };
    // Rejected, or created under the permitted name.
    expect(await ask({ durable_name: "user" })).toBeUndefined();
    expect(await ask({ name: "user", durable_name: "user" })).toBeUndefined();
    expect(await ask({ name: "user" })).not.toBe("user");
    const { config: after } = (await as("ops").request(`${JSAPI}.CONSUMER.INFO.AUTH_EVENTS.user`)).json<{
      config: object;
    }>();
    expect(after).toEqual(before);
    expect(before).toMatchObject({ durable_name: "user", filter_subject: "auth.account.>" });
  });

  it.each([
    ["no user", {}],
    ["a wrong password", { user: "auth", pass: "p-wrong" }],
    ["an unknown user", { user: "root", pass: "root" }],
    ["no password", { user: "auth" }],
  ])("a connection with %s", async (_what, options) => {
    const outcome = connect({ servers: new URL(system.busUrl("auth")).host, ...options, reconnect: false });
    await expect(outcome).rejects.toThrow("Authorization Violation");
  });
});
