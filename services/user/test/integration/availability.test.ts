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

describe("what happens when everything is there", () => {
  it("the service is ready and says how its dependencies are", async () => {
    user = await startUser();
    await expect
      .poll(() => ready(user!))
      .toMatchObject({
        status: 200,
        body: { status: "ready", checks: { database: "healthy", nats: "healthy" } },
      });
  });
});

describe("what happens when NATS is away", () => {
  it("the service starts, registers and reads, and its events follow when NATS comes", async () => {
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

describe("what happens when auth is away", () => {
  it("commands are 503 with Retry-After and leave nothing", async () => {
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

describe("what happens when the database is away", () => {
  it("the start waits for it, and then the service serves and consumes", async () => {
    const database = await createEmptyDatabase();
    const door = await createDoor(database.ownerUrl);
    const starting = startUser({}, { databaseBy: door.url });
    await door.knocked;
    door.open();
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
    door.close();
    await database.drop();
  });
});

/** Another address of the server of `databaseUrl`, at which everybody is turned away until it is opened. */
async function createDoor(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl);
  let isOpen = false;
  const server = createServer((socket) => {
    if (!isOpen) return void socket.destroy();
    const onward = connect(Number(port), hostname);
    socket.on("error", () => onward.destroy()).pipe(onward);
    onward.on("error", () => socket.destroy()).pipe(socket);
  });
  const knocked = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `postgres://127.0.0.1:${(server.address() as AddressInfo).port}`,
    knocked,
    open: () => void (isOpen = true),
    close: () => void server.close(),
  };
}
