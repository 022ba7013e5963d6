import { rememberSecret, type RunningServices, startServices } from "@gatehouse/test-kit";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, expect, test } from "vitest";

let services: RunningServices | undefined;
afterEach(async () => {
  await services?.stop();
  services = undefined;
}, 30_000);

async function register(email: string): Promise<number> {
  const response = await fetch(`${services?.url}/v1/users`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: "Correct-horse-1" }),
  });
  return response.status;
}

test("started services register a user and log no secret", async () => {
  const started = (services = await startServices());
  expect(await register("ada@example.com")).toBe(201);
  // Each log line of the request contains the correlation id.
  rememberSecret("a password", "Correct-horse-1");
  await fetch(`${started.url}/v1/users/me`, { headers: { "x-correlation-id": "Correct-horse-1" } });
  services = undefined;
  const refusal = await started.stop().catch((error: Error) => error.message);
  const [, file = ""] = /^secrets were written:\n(\S+gateway\.log):\d+ has a password$/.exec(refusal ?? "") ?? [];
  await rm(dirname(file), { recursive: true });
}, 60_000);

test("two replicas of each service work with one of them stopped", async () => {
  services = await startServices({ auths: 2, users: 2, gateways: 2 });
  await Promise.all([services.auth.stop(), services.users[1]?.stop()]);
  expect(await register("ada@example.com")).toBe(201);
}, 60_000);
