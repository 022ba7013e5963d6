import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestBus } from "@gatehouse/test-kit";
import { newId, STREAMS } from "@gatehouse/contracts";
import { type Bus, connectBus, createEvent, ensureStreams } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf, startGateway, type TestGateway } from "../fixtures/gateway.ts";
import { json } from "../fixtures/upstream-server.ts";

const logger = createLogger({ service: "test", level: "silent" });

let server: RestartableServer;
let bus: Bus;
let gateway: TestGateway;
let heartbeat: NodeJS.Timeout;
beforeAll(async () => {
  server = await createTestBus();
  bus = connectBus({ url: server.url, name: "auth-of-the-test", logger });
  await new Promise<void>((resolve) => {
    bus.onConnected(() => resolve());
  });
  await ensureStreams(bus, [STREAMS.auth], 1);
  gateway = await startGateway({ natsUrl: server.url, environment: { RATE_LIMIT_ENABLED: "false" } });
  heartbeat = setInterval(publishWatermark, 200);
});
afterAll(async () => {
  clearInterval(heartbeat);
  await gateway?.close();
  await bus?.close();
  await server?.stop();
});

function publish(event: { type: string }): void {
  bus.connection()?.publish(event.type, JSON.stringify(event));
}

function publishWatermark(): void {
  const time = new Date().toISOString();
  publish(createEvent({ source: "auth", type: "auth.watermark", subject: "auth", data: { as_of: time } }));
}

async function me(token: string) {
  const response = await fetch(`${gateway.url}/v1/users/me`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, type: response.ok ? undefined : problemOf(await response.text()).type };
}

const introspections = () => gateway.auth.received.filter(({ url }) => url === "/internal/introspect").length;

describe("a token whose user changed the password", () => {
  it("is rejected after the event, without a request to auth", async () => {
    // With watermarks the view is current, and verification makes no request.
    await expect
      .poll(async () => {
        const before = introspections();
        const { status } = await me(await gateway.signer.sign());
        return { status, introspections: introspections() - before };
      })
      .toEqual({ status: 200, introspections: 0 });

    const sub = newId();
    const old = await gateway.signer.sign({ sub, tokenVersion: 3 });
    const other = await gateway.signer.sign({ tokenVersion: 3 });
    expect((await me(old)).status).toBe(200);
    const before = introspections();
    publish(
      createEvent({
        source: "auth",
        type: "auth.password.changed",
        subject: sub,
        version: 4,
        data: { user_id: sub, token_version: 4, by: "self" },
      }),
    );
    await expect.poll(() => me(old)).toEqual({ status: 401, type: "TokenRevokedError" });
    expect((await me(other)).status).toBe(200);
    expect((await me(await gateway.signer.sign({ sub, tokenVersion: 4 }))).status).toBe(200);
    expect(introspections()).toBe(before);
  });
});

describe("the gateway without the bus", () => {
  it("asks auth, returns 401 for a revoked token, and 503 while auth is down", async () => {
    clearInterval(heartbeat);
    const fresh = await startGateway({
      natsUrl: "nats://127.0.0.1:1",
      environment: { RATE_LIMIT_ENABLED: "false" },
    });
    try {
      const get = async () => {
        const authorization = `Bearer ${await fresh.signer.sign()}`;
        const response = await fetch(`${fresh.url}/v1/users/me`, { headers: { authorization } });
        return [response.status, response.ok ? undefined : problemOf(await response.text()).type];
      };
      expect(await get()).toEqual([200, undefined]);
      expect((await fetch(`${fresh.url}/health/ready`)).status).toBe(200);

      const alive = fresh.auth.answer;
      fresh.auth.answer = (request, response) =>
        request.url === "/internal/introspect"
          ? json(response, 200, { results: [{ active: false, session_ended: true, least_token_version: 0 }] })
          : alive(request, response);
      expect(await get()).toEqual([401, "TokenRevokedError"]);

      await fresh.auth.stop();
      expect(await get()).toEqual([503, "ServiceUnavailable"]);
      expect((await fetch(`${fresh.url}/v1/users`, { method: "POST" })).status).toBe(200);
    } finally {
      await fresh.close();
    }
  });

  it("and without auth runs but is not ready", async () => {
    const lonely = await startGateway({
      natsUrl: "nats://127.0.0.1:1",
      environment: { AUTH_URL: "http://127.0.0.1:1" },
    });
    try {
      expect((await fetch(`${lonely.url}/health`)).status).toBe(200);
      const ready = await fetch(`${lonely.url}/health/ready`);
      expect([ready.status, await ready.json()]).toEqual([
        503,
        { status: "unready", checks: { nats: "unhealthy", redis: "degraded" } },
      ]);
      const authorization = `Bearer ${await lonely.signer.sign()}`;
      const response = await fetch(`${lonely.url}/v1/users/me`, { headers: { authorization } });
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    } finally {
      await lonely.close();
    }
  });
});
