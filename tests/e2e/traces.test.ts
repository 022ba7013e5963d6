import { describe, expect, it } from "vitest";
import { randomBytes } from "node:crypto";
import { call, NEW_PASSWORD, newEmail, PASSWORD, register } from "@gatehouse/test-kit/api";
import { drawTree, lines, requiredOf } from "../support/span-tree.ts";
import type { TelemetryStack } from "./stack.ts";

/** What the user service does with an account that it did not know, in what stands behind the arrow. */
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

/** And with one that it knows. */
const FINDS = lines`
  user CLIENT BEGIN
  user CLIENT SELECT pg_advisory_xact_lock
  user CLIENT SELECT users.users
  user CLIENT COMMIT`;

/** What a trace holds, from the client to the last consumer. */
export function describeTraces(stack: TelemetryStack): void {
  /** The trace of a client that has made one of its own. */
  function newTrace(flags = "01") {
    const id = randomBytes(16).toString("hex");
    const span = randomBytes(8).toString("hex");
    const spans = () => stack.receiver.spans.filter(({ traceId }) => traceId === id);
    return { id, span, spans, tree: () => drawTree(spans()), headers: { traceparent: `00-${id}-${span}-${flags}` } };
  }

  describe("traces of real services", () => {
    it("hold a registration from the client to the last consumer", async () => {
      const trace = newTrace();
      const headers = { ...trace.headers, "x-correlation-id": "registration-1" };
      const json = { email: newEmail(), password: PASSWORD, full_name: "Grace Hopper" };
      const answer = await call(stack.system.url, "POST", "/v1/users", { json, headers });
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
      // auth's answer and auth's event tell the user service the same. Whichever comes first, the answer as a rule, is what it acts on.
      const byAnswer = tree(writes("user SERVER POST /v1/users"), FINDS);
      const byEvent = tree(FINDS, writes("user CONSUMER process auth.account.created (user)"));
      await expect.poll(trace.tree).toBeOneOf([byAnswer, byEvent]);
      // Its parent is the client's own span, which is the client's to send.
      const ofClient = trace.spans().filter(({ parentSpanId }) => parentSpanId === trace.span);
      expect(ofClient).toMatchObject([{ kind: "SERVER", name: "POST /v1/users" }]);
    });

    it("hold a change of a name, until auth has it too", async () => {
      const { token } = await register(stack.system.url);
      const trace = newTrace();
      const json = { full_name: "Grace Hopper" };
      await call(stack.system.url, "PATCH", "/v1/users/me", { token, json, headers: trace.headers });
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

    it("hold a password change, from the client to whoever must forget what was issued before", async () => {
      const user = await register(stack.system.url);
      const trace = newTrace();
      const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
      const request = { token: user.token, json, headers: trace.headers };
      expect((await call(stack.system.url, "POST", "/v1/auth/change-password", request)).status).toBe(204);
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
      const sent = stack.receiver.bodies.join("\n");
      for (const token of [user.token, user.cookie]) expect(sent).not.toContain(token);
    });

    it("say of each span what the conventions ask for", () => {
      const incomplete = stack.receiver.spans.flatMap(({ name, kind, attributes }) => {
        const missing = requiredOf(kind, attributes).filter((attribute) => attributes[attribute] === undefined);
        return missing.length > 0 ? [{ kind, name, missing }] : [];
      });
      expect(incomplete).toEqual([]);
    });

    it("leave out health checks, though each process is asked all the time", async () => {
      expect((await call(stack.system.url, "GET", "/health/detailed")).status).toBe(200);
      expect(stack.receiver.bodies.filter((body) => body.includes("/health"))).toEqual([]);
    });

    it("are recorded or not as the caller has it, and by the standard variables where it says nothing", async () => {
      const [gateway] = stack.system.gateways;
      await gateway?.stop("SIGINT");
      await gateway?.start({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" });
      const before = stack.receiver.spans.length;
      const { token } = await register(stack.system.url);
      const [unwanted, wanted] = [newTrace("00"), newTrace("01")];
      for (const { headers } of [unwanted, wanted])
        await call(stack.system.url, "GET", "/v1/users/me", { token, headers });
      await expect.poll(() => wanted.spans().filter(({ kind }) => kind === "SERVER")).toHaveLength(2);
      // A process sends in the order in which spans ended: what came before would be here by now. auth is asked for its keys by
      // nobody's request, and has made its own choice.
      const sent = stack.receiver.spans
        .slice(before)
        .filter(({ resource }) => resource["service.name"] !== "gatehouse-auth");
      expect(new Set(sent.map(({ traceId }) => traceId))).toEqual(new Set([wanted.id]));
    });
  });
}
