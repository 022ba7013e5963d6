import { type RunningServices, startServices } from "@gatehouse/test-kit";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { call, FIRST_ADMIN, loginAdmin, register, until } from "@gatehouse/test-kit/api";
import { hasOpenssl, makeAuthority, makeServerCertificate } from "./support/certificates.ts";

const possible = hasOpenssl() && inject("gatehouse").nats.kind === "program";

describe.skipIf(!possible)("the whole system with TLS to NATS", () => {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-tls-"));
  let system: RunningServices;
  let authority: string;
  beforeAll(async () => {
    authority = makeAuthority(folder, "authority");
    system = await startServices({
      auth: FIRST_ADMIN,
      environment: { NODE_EXTRA_CA_CERTS: authority },
      lockedBus: makeServerCertificate(folder, "authority"),
    });
  });
  afterAll(async () => {
    await system?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const me = (token: string) => call(system.url, "GET", "/v1/users/me", { token });
  const gateway = () => {
    const [first] = system.gateways;
    if (first === undefined) throw new Error("There is no gateway");
    return first;
  };

  it("events and revocations arrive over TLS", async () => {
    // The user service receives the admin's account only over the bus; the gateway sends no introspection while watermarks arrive.
    const admin = await loginAdmin(system.url);
    const user = await register(system.url);
    expect(system.busUrl("gateway")).toMatch(/^tls:/);
    expect((await me(user.token)).status).toBe(200);
    await call(system.url, "PATCH", `/v1/admin/users/${user.id}`, { token: admin.token, json: { is_active: false } });
    await until(async () => (await me(user.token)).status === 401);
    expect(gateway().logs().join("\n")).toContain("connected to NATS");
  });

  it("rejects a server certificate of another authority and logs the reason", async () => {
    const said = () =>
      gateway()
        .logs()
        .filter((line) => line.includes("certificate of NATS is not trusted"));
    expect(said()).toEqual([]);
    await gateway().restart({ NODE_EXTRA_CA_CERTS: makeAuthority(folder, "stranger") });
    await until(async () => said().length > 0);
    expect(said()[0]).toContain("NODE_EXTRA_CA_CERTS");
    // Introspection replaces the view, and each line is logged once.
    const user = await register(system.url);
    expect((await me(user.token)).status).toBe(200);
    expect(said()).toHaveLength(1);
    await gateway().restart({ NODE_EXTRA_CA_CERTS: authority });
    const connections = () =>
      gateway()
        .logs()
        .filter((line) => line.includes("connected to NATS")).length;
    await until(async () => connections() === 2);
  });
});
