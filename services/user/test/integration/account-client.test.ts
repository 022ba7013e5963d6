import { recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { type CreateAccountCommand, newId } from "@gatehouse/contracts";
import { createLogger, openContext, runInContext } from "@gatehouse/observability";
import { SpanKind } from "@opentelemetry/api";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AccountClient, createAccountClient } from "../../src/clients/account.client.ts";
import { type AuthServer, INTERNAL_TOKEN, startAuthServer } from "../auth-server.ts";

const logger = createLogger({ service: "test", level: "silent" });
const onBehalfOf = { sub: newId(), sid: newId(), token_version: 1 };

let auth: AuthServer;
let unusedUrl: string;
const clients: AccountClient[] = [];

beforeAll(async () => {
  auth = await startAuthServer();
  unusedUrl = await findUnusedUrl();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => auth.stop());

function clientOf(urls: string[], options: { token?: string; deadlineMs?: number } = {}): AccountClient {
  const client = createAccountClient({ urls, token: INTERNAL_TOKEN, logger, ...options });
  clients.push(client);
  return client;
}

function command(): CreateAccountCommand {
  const id = newId();
  return {
    id,
    email: `${id}@example.com`,
    password: "Secret123",
    full_name: null,
    role: "user",
    is_active: true,
    is_verified: false,
    on_behalf_of: null,
  };
}

describe("a command to auth", () => {
  it("has the service's token and the request's correlation", async () => {
    const trace = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", traceFlags: 1 };
    const context = { correlationId: "corr-1", trace };
    const account = await runInContext(context, () => clientOf([auth.url]).create(command()));
    const received = auth.commands.at(-1);
    expect(received?.body["id"]).toBe(account.id);
    expect(received?.headers).toMatchObject({
      authorization: `Bearer ${INTERNAL_TOKEN}`,
      "x-correlation-id": "corr-1",
    });
    expect(received?.headers["traceparent"]).toContain("4bf92f3577b34da6a3ce929d0e0e4736");
  });

  it("skips a replica that is down, for every command", async () => {
    const client = clientOf([unusedUrl, auth.url]);
    const { id } = await client.create(command());
    for (let round = 0; round < 3; round += 1) {
      const account = await client.update(id, { is_verified: round % 2 === 0, on_behalf_of: onBehalfOf });
      expect(account.version).toBe(round + 2);
    }
  });

  it("throws auth's error with its type, detail and Retry-After", async () => {
    const client = clientOf([auth.url]);
    auth.breakNext({ kind: "error", status: 503, type: "ServiceUnavailable", retryAfter: 7 });
    await expect(client.create(command())).rejects.toMatchObject({ code: "ServiceUnavailable", retryAfter: 7 });
    await expect(client.restore(newId(), { on_behalf_of: onBehalfOf })).rejects.toMatchObject({ code: "UserNotFound" });
  });
});

describe("the trace of a command", () => {
  it("has a span per attempt, without the id in the path", async () => {
    const recorded = recordTelemetry();
    auth.breakNext({ kind: "lose-response" });
    const client = clientOf([unusedUrl, auth.url]);
    const span = { name: "POST /v1/users", kind: SpanKind.SERVER };
    await runInContext(openContext({ correlationId: "corr-1", traceparent: undefined, span }), async () => {
      const { id } = await client.create(command());
      await client.restore(id, { on_behalf_of: onBehalfOf });
      expect(JSON.stringify(recorded.spans().map(({ name, attributes }) => [name, attributes]))).not.toContain(id);
    });
    const spans = recorded.spans();
    await recorded.stop();

    expect(spans.map(({ name, attributes }) => [name, attributes["error.type"]])).toEqual([
      ["POST /internal/accounts", "ECONNREFUSED"],
      ["POST /internal/accounts", "UND_ERR_SOCKET"],
      ["POST /internal/accounts", undefined],
      ["POST /internal/accounts/:id/restore", undefined],
    ]);
    expect(spans.map(({ attributes }) => attributes["http.request.resend_count"])).toEqual([
      undefined,
      1,
      2,
      undefined,
    ]);
    expect(auth.commands.at(-1)?.headers["traceparent"]).toContain(spans.at(-1)?.spanContext().spanId);
  });
});

describe("a lost response of auth", () => {
  it("makes the client retry a creation with the same id, which creates one account", async () => {
    const before = auth.accounts.size;
    const wanted = command();
    auth.breakNext({ kind: "lose-response" }, { kind: "lose-response" });
    const account = await clientOf([auth.url]).create(wanted);
    expect(account).toMatchObject({ id: wanted.id, version: 1 });
    expect(auth.accounts.size).toBe(before + 1);
    expect(auth.commands.filter(({ body }) => body["id"] === wanted.id)).toHaveLength(3);
  });

  it("ends a creation with 503 at the deadline", async () => {
    auth.breakNext(...Array.from({ length: 20 }, () => ({ kind: "lose-response" }) as const));
    const creating = clientOf([auth.url], { deadlineMs: 700 }).create(command());
    await expect(creating).rejects.toMatchObject({ code: "ServiceUnavailable" });
    auth.forgetFaults();
  });

  it("does not make the client retry a change", async () => {
    const client = clientOf([auth.url]);
    const { id } = await client.create(command());
    auth.breakNext({ kind: "lose-response" });
    const changing = client.update(id, { is_active: false, on_behalf_of: onBehalfOf });
    await expect(changing).rejects.toMatchObject({ code: "ServiceUnavailable", retryAfter: 1 });
    expect(auth.commands.filter(({ path }) => path.endsWith(id))).toHaveLength(1);
  });
});

describe("auth that cannot serve", () => {
  it("causes 503 with Retry-After when every replica is down", async () => {
    const creating = clientOf([unusedUrl]).create(command());
    await expect(creating).rejects.toMatchObject({ code: "ServiceUnavailable", retryAfter: 1 });
  });

  it("causes 502 for a response that does not match the schema", async () => {
    auth.breakNext({ kind: "garbage" }, { kind: "error", status: 500, type: "InternalError" });
    const client = clientOf([auth.url]);
    await expect(client.create(command())).rejects.toMatchObject({ code: "BadGateway" });
    await expect(client.create(command())).rejects.toMatchObject({ code: "BadGateway" });
  });

  it("causes 502 for a rejected service token, not the caller's 401", async () => {
    const creating = clientOf([auth.url], { token: "outdated" }).create(command());
    await expect(creating).rejects.toMatchObject({ code: "BadGateway" });
  });
});

async function findUnusedUrl(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
