import { createClient, isProblem, type Tokens } from "@gatehouse/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIRST_ADMIN, loginAdmin, NEW_PASSWORD, newEmail, PASSWORD } from "@gatehouse/test-kit/api";
import { openSystem, type System } from "./support/system.ts";

let system: System;
beforeAll(async () => {
  system = await openSystem();
});
afterAll(() => system.stop());

const newClient = (tokens?: Tokens) => createClient({ baseUrl: system.url, ...(tokens && { tokens }) });

async function registered() {
  const client = newClient();
  const email = newEmail();
  await client.register({ email, password: PASSWORD, full_name: "Ada" });
  const user = await client.login(email, PASSWORD, { deviceName: "test" });
  return { client, email, user };
}

const refusal = async (work: Promise<unknown>, type: Parameters<typeof isProblem>[1]) =>
  expect(isProblem(await work.catch((error: unknown) => error), type)).toBe(true);

describe("@gatehouse/client", () => {
  it("registers, logs in, changes and deletes a user", async () => {
    const { client, email, user } = await registered();
    expect(await client.me()).toEqual(user);
    expect(await client.updateMe({ full_name: "Ada Lovelace" })).toMatchObject({ full_name: "Ada Lovelace" });
    expect(await client.user(user.id)).toMatchObject({ email });
    expect(await client.sessions()).toMatchObject([{ device_name: "test", current: true }]);

    const earlier = newClient(client.tokens());
    await client.changePassword(PASSWORD, NEW_PASSWORD);
    expect(client.tokens()).toBeUndefined();
    await refusal(earlier.refresh(), "TokenRevokedError");
    await client.login(email, NEW_PASSWORD);
    await client.deleteMe(NEW_PASSWORD);
    await refusal(client.login(email, NEW_PASSWORD), "InvalidCredentials");
  });

  it("refreshes once for simultaneous calls and keeps its session", async () => {
    const { client, user } = await registered();
    const stale = newClient({ accessToken: "stale", refreshToken: client.tokens()?.refreshToken ?? "" });
    expect(await Promise.all(Array.from({ length: 8 }, () => stale.me()))).toEqual(Array(8).fill(user));
    await stale.refresh();
    expect(await stale.sessions()).toHaveLength(1);
  });

  it("manages users as an admin", async () => {
    await loginAdmin(system.url);
    const client = newClient();
    await client.login(FIRST_ADMIN.FIRST_ADMIN_EMAIL, FIRST_ADMIN.FIRST_ADMIN_PASSWORD);
    const email = newEmail();
    const { id } = await client.admin.create({ email, password: "x" });
    expect((await client.admin.list({ q: email })).items).toMatchObject([{ id }]);
    expect(await client.admin.update(id, { role: "admin" })).toMatchObject({ role: "admin" });
    await client.admin.remove(id);
    await refusal(client.admin.get(id), "UserNotFound");
  });
});
