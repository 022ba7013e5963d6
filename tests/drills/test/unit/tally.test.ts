import { expect, it } from "vitest";
import { createTally } from "../../load/tally.ts";

const LOGIN = { route: "POST /v1/auth/login", expected: 200 };

it("what happens when requests are answered as they should be, otherwise, or not at all: all are counted, and the latter fail", () => {
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

it("what happens when a request succeeds that must not: that is a failure, too", () => {
  const tally = createTally();
  tally.count({ ...LOGIN, status: 201 });
  expect(tally.total()).toEqual({ answered: 1, failed: 1 });
});

it("what happens when everything fails: the first failures are told, and all are counted", () => {
  const tally = createTally();
  for (let count = 0; count < 1_000; count += 1) tally.count({ ...LOGIN, status: 500 });
  expect(tally.total().failed).toBe(1_000);
  expect(tally.failures).toHaveLength(50);
});
