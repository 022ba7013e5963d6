import { newId } from "@gatehouse/contracts";
import { createEmptyDatabase } from "@gatehouse/testing";
import { connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture | undefined;
let door: Server | undefined;
afterEach(async () => {
  await user?.stop();
  door?.close();
  user = undefined;
  door = undefined;
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
  it("the service starts, answers 503 until it comes, and then serves and consumes", async () => {
    const address = await freeAddress();
    user = await startUser({}, { databaseAt: address });
    expect(await ready(user)).toMatchObject({ status: 503, body: { checks: { database: "unhealthy" } } });
    const as = { sub: newId() };
    expect(await user.call("GET", "/v1/users/me", { as })).toMatchObject({ status: 503 });
    door = await openDoor(address, user.databaseUrl);
    await expect.poll(() => ready(user!), { timeout: 10_000 }).toMatchObject({ status: 200 });
    await user.publish(accountEvent("auth.account.created", as.sub, 1));
    await expect
      .poll(() => user!.call("GET", "/v1/users/me", { as }), { timeout: 10_000 })
      .toMatchObject({ status: 200, body: { id: as.sub } });
  });

  it("one that is there and not migrated stops the start and names the command", async () => {
    const database = await createEmptyDatabase();
    await expect(startUser({ USER_DATABASE_URL: database.ownerUrl })).rejects.toThrow("pnpm migrate up");
    await database.drop();
  });
});

async function freeAddress(): Promise<{ port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { port };
}

/** From now on the database can be reached at the address. */
async function openDoor({ port }: { port: number }, databaseUrl: string): Promise<Server> {
  const target = new URL(databaseUrl);
  const server = createServer((socket) => {
    const onward = connect(Number(target.port), target.hostname);
    socket.on("error", () => onward.destroy()).pipe(onward);
    onward.on("error", () => socket.destroy()).pipe(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}
