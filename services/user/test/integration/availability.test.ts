import { createEmptyDatabase } from "@gatehouse/test-kit";
import { newId } from "@gatehouse/contracts";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture | undefined;
afterEach(async () => {
  await user?.stop();
  user = undefined;
});

const ready = (service: UserFixture) => service.call("GET", "/health/ready");

describe("GET /health/ready", () => {
  it("is ready and reports the dependencies", async () => {
    user = await startUser();
    await expect
      .poll(() => ready(user!))
      .toMatchObject({
        status: 200,
        body: { status: "ready", checks: { database: "healthy", nats: "healthy" } },
      });
  });
});

describe("the service without NATS", () => {
  it("starts, registers and reads, and publishes its events when NATS is up", async () => {
    user = await startUser({}, { withoutBus: true });
    await expect.poll(() => ready(user!)).toMatchObject({ status: 200, body: { checks: { nats: "unhealthy" } } });
    const { id } = await user.register();
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).status).toBe(200);
    await user.bus.start();
    await expect
      .poll(() => user!.db.selectFrom("outbox").select("id").where("published_at", "is", null).execute(), {
        timeout: 10_000,
      })
      .toEqual([]);
    const late = newId();
    await user.publish(accountEvent("auth.account.created", late, 1));
    await user.consumed();
    expect((await user.call("GET", "/v1/users/me", { as: { sub: late } })).status).toBe(200);
  });
});

describe("the service without auth", () => {
  it("returns 503 with Retry-After for commands and stores nothing", async () => {
    user = await startUser();
    const { id } = await user.register();
    await user.auth.stop();
    const body = { email: `${newId()}@example.com`, password: "Secret123" };
    expect(await user.call("POST", "/v1/users", { body })).toMatchObject({
      status: 503,
      headers: { "retry-after": "1" },
      body: { type: "ServiceUnavailable" },
    });
    expect(await user.db.selectFrom("users").select("id").execute()).toEqual([{ id }]);
  });
});

describe("the service without its database", () => {
  it("waits for the database at the start, then serves and consumes", async () => {
    const database = await createEmptyDatabase();
    const proxy = await createClosedProxy(database.ownerUrl);
    const starting = startUser({}, { databaseProxy: proxy.url });
    await proxy.firstConnection;
    proxy.open();
    user = await starting;
    await expect
      .poll(() => ready(user!))
      .toMatchObject({ status: 200, body: { status: "ready", checks: { database: "healthy" } } });
    const as = { sub: newId() };
    await user.publish(accountEvent("auth.account.created", as.sub, 1));
    await expect
      .poll(() => user!.call("GET", "/v1/users/me", { as }), { timeout: 10_000 })
      .toMatchObject({ status: 200, body: { id: as.sub } });
    await user.stop();
    user = undefined;
    proxy.close();
    await database.drop();
  });
});

/** Starts a proxy in front of the server of `databaseUrl`. It closes every connection until `open` is called. */
async function createClosedProxy(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl);
  let isOpen = false;
  const server = createServer((socket) => {
    if (!isOpen) return void socket.destroy();
    const upstream = connect(Number(port), hostname);
    socket.on("error", () => upstream.destroy()).pipe(upstream);
    upstream.on("error", () => socket.destroy()).pipe(socket);
  });
  const firstConnection = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `postgres://127.0.0.1:${(server.address() as AddressInfo).port}`,
    firstConnection,
    open: () => void (isOpen = true),
    close: () => void server.close(),
  };
}
