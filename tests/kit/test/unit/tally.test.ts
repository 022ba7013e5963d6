import { expect, it } from "vitest";
import { createTally } from "../../src/run/tally.ts";

const LOGIN = { route: "POST /v1/auth/login", expected: 200 };

it("counts every answer; unexpected and missing ones fail", () => {
  let clock = 1_000;
  const tally = createTally(() => clock);
  tally.count({ ...LOGIN, status: 200 });
  tally.count({ route: "POST /v1/auth/logout", expected: 204, status: 204 });
  clock = 3_500;
  tally.count({ ...LOGIN, status: 503, reason: "ServiceUnavailable" });
  tally.count({ ...LOGIN, status: 0, reason: "ECONNRESET" });
  expect(tally.total()).toEqual({ answered: 4, failed: 2 });
  expect(tally.byRoute()).toEqual({
    "POST /v1/auth/login": { "200": 1, "503": 1, none: 1 },
    "POST /v1/auth/logout": { "204": 1 },
  });
  expect(tally.failures).toEqual([
    "2.5 s  POST /v1/auth/login: 503 ServiceUnavailable",
    "2.5 s  POST /v1/auth/login: none ECONNRESET",
  ]);
});

it("fails a request that succeeds but must not", () => {
  const tally = createTally();
  tally.count({ ...LOGIN, status: 201 });
  expect(tally.total()).toEqual({ answered: 1, failed: 1 });
});

it("counts all failures and keeps the first ones", () => {
  const tally = createTally();
  for (let count = 0; count < 1_000; count += 1) tally.count({ ...LOGIN, status: 500 });
  expect(tally.total().failed).toBe(1_000);
  expect(tally.failures).toHaveLength(50);
});
