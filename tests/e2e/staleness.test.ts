import {
  createFaultyLine,
  type FaultyLine,
  type RunningServices,
  type ServiceHandle,
  startServices,
} from "@gatehouse/test-kit";
import { STREAMS } from "@gatehouse/contracts";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { call, type Person, problemOf, register, until } from "@gatehouse/test-kit/api";
import { untilDecides } from "./support/deciders.ts";

/**
 * Revocation views and tokens when parts are disconnected from each other. auth and the second gateway reach the bus through faulty
 * lines; the first gateway and the user service reach it directly.
 */
let system: RunningServices;
let lines: { readonly auth: FaultyLine; readonly second: FaultyLine };
let first: ServiceHandle;
let second: ServiceHandle;
beforeAll(async () => {
  const environment = { REVOCATION_MAX_STALENESS_SECONDS: "2" };
  system = await startServices({ gateways: 2, redis: false, environment });
  [first, second] = system.gateways as [ServiceHandle, ServiceHandle];
  lines = { auth: await createFaultyLine(system.bus.url), second: await createFaultyLine(system.bus.url) };
  await Promise.all([system.auth.stop("SIGINT"), second.stop("SIGINT")]);
  await system.auth.start({ NATS_URL: lines.auth.url });
  await second.start({ NATS_URL: lines.second.url });
});
afterAll(async () => {
  await system.stop();
  await Promise.all([lines.auth.close(), lines.second.close()]);
});

let good: Person;
let revoked: Person;
beforeEach(async () => {
  [good, revoked] = [await register(first.url), await register(first.url)];
  await Promise.all([first, second].map((gateway) => untilDecides("view", gateway, good)));
});

const me = async ({ url }: ServiceHandle, { token }: Person) =>
  problemOf(await call(url, "GET", "/v1/users/me", { token }));
const logOut = async (person: Person) =>
  expect((await call(system.auth.url, "POST", "/v1/auth/logout", { token: person.token })).status).toBe(204);
const untilRefused = (service: ServiceHandle, person: Person) =>
  until(async () => (await me(service, person))[1] === "TokenRevokedError");

async function startAnew(service: ServiceHandle): Promise<void> {
  await service.stop("SIGKILL");
  await service.start();
}

const ACCEPTED = [200, undefined];
const REVOKED = [401, "TokenRevokedError"];
const UNAVAILABLE = [503, "ServiceUnavailable"];

describe("auth is disconnected from the bus", () => {
  it("gateways and the user service use introspection; rejected tokens stay rejected when auth dies and when the bus is back", async () => {
    lines.auth.silence();
    await logOut(revoked);
    for (const service of [first, second, system.user]) {
      await untilDecides("auth", service, good);
      expect(await me(service, revoked)).toEqual(REVOKED);
      expect(await me(service, good)).toEqual(ACCEPTED);
    }

    await system.auth.stop("SIGKILL");
    await untilDecides("view", first, good);
    for (const gateway of [first, second]) expect(await me(gateway, revoked)).toEqual(REVOKED);

    await lines.auth.restore();
    await system.auth.start();
    // Its view has only what is on the bus, once watermarks arrive.
    await startAnew(first);
    await untilDecides("view", first, good);
    for (const gateway of [first, second]) expect(await me(gateway, revoked)).toEqual(REVOKED);
  });
});

describe("a gateway's bus connection is open but silent", () => {
  it("the gateway uses introspection, answers 503 without auth while the other gateway serves, and recovers", async () => {
    lines.second.hold();
    await logOut(revoked);
    // Until then the user service rejects what this gateway accepts.
    await untilDecides("auth", second, good);
    for (const gateway of [first, second]) expect(await me(gateway, revoked)).toEqual(REVOKED);
    expect(await me(second, good)).toEqual(ACCEPTED);

    await system.auth.stop("SIGKILL");
    await untilDecides("nobody", second, good);
    expect(await me(second, good)).toEqual(UNAVAILABLE);
    expect(await me(second, revoked)).toEqual(REVOKED);
    expect(await me(first, good)).toEqual(ACCEPTED);

    lines.second.release();
    await lines.second.restore();
    await system.auth.start();
    await untilDecides("view", second, good);
    expect(await me(second, good)).toEqual(ACCEPTED);
    expect(await me(second, revoked)).toEqual(REVOKED);
  });
});

describe("auth's stream is deleted", () => {
  it("on a wiped server auth recreates and refills it, so that a gateway that starts later has earlier revocations", async () => {
    await logOut(revoked);
    await untilRefused(first, revoked);
    await system.bus.restart({ wipe: true });
    await startAnew(first);
    await untilDecides("view", first, good);
    // Only the stream can tell it now.
    await system.auth.stop("SIGKILL");
    expect(await me(first, revoked)).toEqual(REVOKED);
    expect(await me(first, good)).toEqual(ACCEPTED);
    await system.auth.start();
  });

  it("without auth gateways answer 503, and recover with it", async () => {
    await logOut(revoked);
    await untilRefused(first, revoked);
    await system.auth.stop("SIGKILL");
    const connection = await connect({ servers: system.bus.url });
    await (await jetstreamManager(connection)).streams.delete(STREAMS.auth.name);
    await connection.close();
    await untilDecides("nobody", first, good);
    expect(await me(first, good)).toEqual(UNAVAILABLE);
    expect(await me(first, revoked)).toEqual(REVOKED);

    await system.auth.start();
    await startAnew(first);
    await untilDecides("view", first, good);
    expect(await me(first, good)).toEqual(ACCEPTED);
    expect(await me(first, revoked)).toEqual(REVOKED);
  });
});
