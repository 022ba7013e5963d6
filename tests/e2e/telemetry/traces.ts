import { describe, expect, it } from "vitest";
import { randomBytes } from "node:crypto";
import { call, FIRST_ADMIN, newEmail, PASSWORD, register } from "../support/api.ts";
import { drawTree, lines, requiredOf } from "../support/span-tree.ts";
import type { TelemetryStack } from "./stack.ts";

const NEW_PASSWORD = "Battery-Staple-2";

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
    // The consumer of auth.account.created makes the row where the request is slower than the bus, which is another tree, and rare.
    it("hold a registration from the client to the last consumer", { retry: 2 }, async () => {
      const trace = newTrace();
      const headers = { ...trace.headers, "x-correlation-id": "registration-1" };
      const json = { email: newEmail(), password: PASSWORD, full_name: "Grace Hopper" };
      const answer = await call(stack.system.url, "POST", "/v1/users", { json, headers });
      expect([answer.status, answer.headers.get("x-correlation-id")]).toEqual([201, "registration-1"]);
      await expect.poll(trace.tree).toBe(lines`
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
                      audit-log CLIENT INSERT entries
                    user CONSUMER process auth.account.created (user) -> auth SERVER POST /internal/accounts
                      user CLIENT BEGIN
                      user CLIENT SELECT pg_advisory_xact_lock
                      user CLIENT SELECT users.users
                      user CLIENT COMMIT
              user CLIENT BEGIN
              user CLIENT SELECT pg_advisory_xact_lock
              user CLIENT SELECT users.users
              user CLIENT SELECT users.tombstones
              user CLIENT SELECT users.early_deletions
              user CLIENT INSERT users.users
              user CLIENT INSERT users.outbox
              user CLIENT COMMIT
              user PRODUCER publish user.registered
                audit-log CONSUMER process user.registered (audit-log) -> user SERVER POST /v1/users
                  audit-log CLIENT INSERT entries`);
      // The client's own span, which is its own to send.
      expect(trace.spans().filter(({ parentSpanId }) => parentSpanId === trace.span)).toMatchObject([
        { kind: "SERVER" },
      ]);
    });

    it("hold a password change, from the client to whoever must forget what was issued before", async () => {
      const user = await register(stack.system.url);
      const trace = newTrace();
      const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
      const { headers } = trace;
      const { status } = await call(stack.system.url, "POST", "/v1/auth/change-password", {
        token: user.token,
        json,
        headers,
      });
      expect(status).toBe(204);
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
                  audit-log CLIENT INSERT entries
                audit-log CONSUMER process auth.password.changed (revocation-view) -> auth SERVER POST /v1/auth/change-password
                gateway CONSUMER process auth.password.changed (revocation-view) -> auth SERVER POST /v1/auth/change-password
                user CONSUMER process auth.password.changed (revocation-view) -> auth SERVER POST /v1/auth/change-password`);
      const sent = stack.receiver.bodies.join("\n");
      const secrets = [
        ...Object.values(stack.system.secrets),
        FIRST_ADMIN.FIRST_ADMIN_PASSWORD,
        PASSWORD,
        NEW_PASSWORD,
      ];
      for (const word of [...secrets, user.token, user.cookie, "$argon2", "eyJ", "Hopper", "@example.com"])
        expect(sent).not.toContain(word);
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
