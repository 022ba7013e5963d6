import { type RunningServices, startServices } from "@gatehouse/test-kit";
import { call, NEW_PASSWORD, newEmail, PASSWORD, register } from "@gatehouse/test-kit/api";
import { type OtlpReceiver, startOtlpReceiver } from "@gatehouse/test-kit/otlp";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawTree, lines, requiredOf } from "./support/span-tree.ts";

/** The three services and the audit log as processes, with a collector. */
let receiver: OtlpReceiver;
let system: RunningServices;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  system = await startServices({
    redis: false,
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_METRICS_EXPORTER: "none",
    },
  });
  const folder = "examples/audit-log";
  const url = await system.database.addService({ folder, schema: "audit", role: "gatehouse_audit" });
  const environment = { AUDIT_DATABASE_URL: url };
  await system.add({ folder, portVariable: "AUDIT_PORT", busUser: "audit-log", environment });
});
afterAll(async () => {
  await system.stop();
  await receiver.stop();
});

/** The spans of the user service for an account that it does not know yet; `origin` is what the consumer links to. */
const writes = (origin: string) => lines`
  user CLIENT BEGIN
  user CLIENT SELECT pg_advisory_xact_lock
  user CLIENT SELECT users.users
  user CLIENT SELECT users.tombstones
  user CLIENT SELECT users.early_deletions
  user CLIENT INSERT users.users
  user CLIENT INSERT users.outbox
  user CLIENT COMMIT
  user PRODUCER publish user.registered
    audit-log CONSUMER process user.registered (audit-log) -> ${origin}
      audit-log CLIENT INSERT audit.entries`;

/** The spans for a known account. */
const FINDS = lines`
  user CLIENT BEGIN
  user CLIENT SELECT pg_advisory_xact_lock
  user CLIENT SELECT users.users
  user CLIENT COMMIT`;

/** The trace of a client that sends its own `traceparent`. */
function newTrace(flags = "01") {
  const id = randomBytes(16).toString("hex");
  const span = randomBytes(8).toString("hex");
  const spans = () => receiver.spans.filter(({ traceId }) => traceId === id);
  return { id, span, spans, tree: () => drawTree(spans()), headers: { traceparent: `00-${id}-${span}-${flags}` } };
}

describe("traces of real services", () => {
  it("show a registration from the client to the last consumer", async () => {
    const trace = newTrace();
    const headers = { ...trace.headers, "x-correlation-id": "registration-1" };
    const json = { email: newEmail(), password: PASSWORD, full_name: "Grace Hopper" };
    const answer = await call(system.url, "POST", "/v1/users", { json, headers });
    expect([answer.status, answer.headers.get("x-correlation-id")]).toEqual([201, "registration-1"]);
    const tree = (service: string, consumer: string) => lines`
      gateway SERVER POST /v1/users
        gateway CLIENT POST /v1/users
          user SERVER POST /v1/users
            user CLIENT POST /internal/accounts
              auth SERVER POST /internal/accounts
                auth CLIENT SELECT auth.accounts
                auth INTERNAL hash password
                auth CLIENT BEGIN
                auth CLIENT INSERT auth.accounts
                auth CLIENT SELECT auth.tombstones
                auth CLIENT INSERT auth.outbox
                auth CLIENT COMMIT
                auth PRODUCER publish auth.account.created
                  audit-log CONSUMER process auth.account.created (audit-log) -> auth SERVER POST /internal/accounts
                    audit-log CLIENT INSERT audit.entries
                  user CONSUMER process auth.account.created (user) -> auth SERVER POST /internal/accounts
                    ${consumer}
            ${service}`;
    // The user service writes what comes first: auth's answer, or the event.
    const byAnswer = tree(writes("user SERVER POST /v1/users"), FINDS);
    const byEvent = tree(FINDS, writes("user CONSUMER process auth.account.created (user)"));
    await expect.poll(trace.tree).toBeOneOf([byAnswer, byEvent]);
    // Its parent is the client's span, which only the client exports.
    const ofClient = trace.spans().filter(({ parentSpanId }) => parentSpanId === trace.span);
    expect(ofClient).toMatchObject([{ kind: "SERVER", name: "POST /v1/users" }]);
  });

  it("show a change of a name until auth has applied it", async () => {
    const { token } = await register(system.url);
    const trace = newTrace();
    const json = { full_name: "Grace Hopper" };
    await call(system.url, "PATCH", "/v1/users/me", { token, json, headers: trace.headers });
    await expect.poll(trace.tree).toBe(lines`
      gateway SERVER PATCH /v1/users/me
        gateway CLIENT PATCH /v1/users/me
          user SERVER PATCH /v1/users/me
            user CLIENT SELECT users.users
            user CLIENT BEGIN
            user CLIENT SELECT pg_advisory_xact_lock
            user CLIENT SELECT users.users
            user CLIENT UPDATE users.users
            user CLIENT INSERT users.outbox
            user CLIENT COMMIT
            user PRODUCER publish user.profile.updated
              audit-log CONSUMER process user.profile.updated (audit-log) -> user SERVER PATCH /v1/users/me
                audit-log CLIENT INSERT audit.entries
              auth CONSUMER process user.profile.updated (auth) -> user SERVER PATCH /v1/users/me
                auth CLIENT UPDATE auth.accounts`);
  });

  it("show a password change from the client to every revocation view", async () => {
    const user = await register(system.url);
    const trace = newTrace();
    const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const request = { token: user.token, json, headers: trace.headers };
    expect((await call(system.url, "POST", "/v1/auth/change-password", request)).status).toBe(204);
    await expect.poll(trace.tree).toBe(lines`
      gateway SERVER POST /v1/auth/change-password
        gateway CLIENT POST /v1/auth/change-password
          auth SERVER POST /v1/auth/change-password
            auth CLIENT SELECT auth.accounts auth.sessions auth.signing_keys
            auth CLIENT SELECT auth.accounts
            auth INTERNAL verify password
            auth INTERNAL hash password
            auth CLIENT BEGIN
            auth CLIENT SELECT auth.accounts
            auth CLIENT SELECT auth.sessions
            auth CLIENT UPDATE auth.accounts
            auth CLIENT UPDATE auth.sessions
            auth CLIENT INSERT auth.outbox
            auth CLIENT COMMIT
            auth PRODUCER publish auth.password.changed
              audit-log CONSUMER process auth.password.changed (audit-log) -> auth SERVER POST /v1/auth/change-password
                audit-log CLIENT INSERT audit.entries
              audit-log CONSUMER process auth.password.changed (revocation-view) -> auth SERVER POST /v1/auth/change-password
              gateway CONSUMER process auth.password.changed (revocation-view) -> auth SERVER POST /v1/auth/change-password
              user CONSUMER process auth.password.changed (revocation-view) -> auth SERVER POST /v1/auth/change-password`);
    const sent = receiver.bodies.join("\n");
    for (const token of [user.token, user.cookie]) expect(sent).not.toContain(token);
  });

  it("have the attributes that the semantic conventions require", () => {
    const incomplete = receiver.spans.flatMap(({ name, kind, attributes }) => {
      const missing = requiredOf(kind, attributes).filter((attribute) => attributes[attribute] === undefined);
      return missing.length > 0 ? [{ kind, name, missing }] : [];
    });
    expect(incomplete).toEqual([]);
  });

  it("leave out health checks", async () => {
    expect((await call(system.url, "GET", "/health/detailed")).status).toBe(200);
    expect(receiver.bodies.filter((body) => body.includes("/health"))).toEqual([]);
  });

  it("follow the caller's sampling flag, and the standard variables without one", async () => {
    const [gateway] = system.gateways;
    await gateway?.stop("SIGINT");
    await gateway?.start({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" });
    const before = receiver.spans.length;
    const { token } = await register(system.url);
    const [unwanted, wanted] = [newTrace("00"), newTrace("01")];
    for (const { headers } of [unwanted, wanted]) await call(system.url, "GET", "/v1/users/me", { token, headers });
    await expect.poll(() => wanted.spans().filter(({ kind }) => kind === "SERVER")).toHaveLength(2);
    // A process exports spans in the order of their ends, so an unwanted one would have arrived. auth samples for itself.
    const sent = receiver.spans.slice(before).filter(({ resource }) => resource["service.name"] !== "gatehouse-auth");
    expect(new Set(sent.map(({ traceId }) => traceId))).toEqual(new Set([wanted.id]));
  });
});
