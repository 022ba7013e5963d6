import { type RunningServices, startServices } from "@gatehouse/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

let services: RunningServices;
beforeAll(async () => {
  services = await startServices();
}, 60_000);
afterAll(() => services?.stop());

test("what happens when the services are started for a test: a user can register and log in", async () => {
  const response = await fetch(`${services.url}/v1/users`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "ada@example.com", password: "Correct-horse-1" }),
  });
  expect(response.status).toBe(201);
});
